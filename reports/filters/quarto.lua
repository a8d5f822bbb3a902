-- What the manuscript uses of Quarto, for plain Pandoc: conditional content, cross-references,
-- floats, subfigures, callouts and page breaks. Words and numbers are those that Quarto prints.

local typst = FORMAT:match "typst" ~= nil
local format = typst and "typst" or "html"

local WORDS = { fig = "Figure", tbl = "Table", sec = "Section" }
local CALLOUTS = { note = "Note", tip = "Tip", warning = "Warning",
                   important = "Important", caution = "Caution" }

local numbers = {} -- identifier -> what a reference prints behind the word
local counts = { fig = 0, tbl = 0 }
local sections = {}

local function raw(text) return pandoc.RawBlock(format, text) end

local function kind_of(id)
  local kind = id:match "^(%a+)%-"
  return WORDS[kind] and kind or nil
end

local function blocks(...)
  local all = pandoc.Blocks {}
  for _, part in ipairs { ... } do
    if pandoc.utils.type(part) == "Blocks" then all:extend(part) else all:insert(part) end
  end
  return all
end

-- Content for one format -------------------------------------------------------------------

local function conditional(div)
  local visible = div.classes:includes "content-visible"
  if not visible and not div.classes:includes "content-hidden" then return nil end
  local applies = true
  if div.attributes["when-format"] then applies = div.attributes["when-format"] == format end
  if div.attributes["unless-format"] then applies = div.attributes["unless-format"] ~= format end
  if applies == visible then return div.content end
  return {}
end

-- Numbers -----------------------------------------------------------------------------------

local function number_section(header)
  if header.classes:includes "unnumbered" then return end
  sections[header.level] = (sections[header.level] or 0) + 1
  for deeper = header.level + 1, #sections do sections[deeper] = nil end
  local parts = {}
  for level = 1, header.level do parts[level] = sections[level] or 0 end
  numbers[header.identifier] = table.concat(parts, ".")
end

local function number_float(element)
  local kind = kind_of(element.identifier)
  if kind ~= "fig" and kind ~= "tbl" then return nil end
  counts[kind] = counts[kind] + 1
  numbers[element.identifier] = tostring(counts[kind])
  local letter = string.byte "a"
  for _, part in ipairs(element.content) do
    if part.t == "Figure" and kind_of(part.identifier) then
      numbers[part.identifier] = ("%d\u{a0}(%s)"):format(counts[kind], string.char(letter))
      letter = letter + 1
    end
  end
  return nil, false -- what is inside has its letter already
end

-- References --------------------------------------------------------------------------------

local function reference(citation)
  local id, kind = citation.id, kind_of(citation.id)
  if not numbers[id] then return pandoc.Strong { pandoc.Str("?@" .. id) } end
  local word = citation.mode ~= "SuppressAuthor" and WORDS[kind] .. "\u{a0}" or ""
  return pandoc.Link({ pandoc.Str(word .. numbers[id]) }, "#" .. id, "", { class = "xref" })
end

local function resolve(cite)
  local inlines = pandoc.Inlines {}
  for i, citation in ipairs(cite.citations) do
    if not kind_of(citation.id) then return nil end
    if i > 1 then inlines:extend { pandoc.Str ",", pandoc.Space() } end
    inlines:insert(reference(citation))
  end
  return inlines
end

-- Floats ------------------------------------------------------------------------------------

local function caption_of(element)
  if element.t == "Figure" then
    return element.content, pandoc.utils.blocks_to_inlines(element.caption.long)
  end
  local content = element.content:clone()
  local last = content:remove()
  if not last or last.t ~= "Para" or #content == 0 then
    error(element.identifier .. " has no caption: its last paragraph must be one")
  end
  return content, last.content
end

local function labelled(id, caption)
  local label = WORDS[kind_of(id)] .. "\u{a0}" .. numbers[id]
  local inlines = pandoc.Inlines { pandoc.Strong { pandoc.Str(label .. ":") }, pandoc.Space() }
  inlines:extend(caption)
  return inlines
end

local function subfigure(figure)
  local letter = numbers[figure.identifier]:match "%(%l%)"
  local caption = pandoc.Inlines { pandoc.Str(letter), pandoc.Space() }
  caption:extend(pandoc.utils.blocks_to_inlines(figure.caption.long))
  if typst then
    return blocks(raw "[#align(center)[", figure.content, pandoc.Para(caption),
                  raw("] #metadata(none) <" .. figure.identifier .. ">],"))
  end
  return blocks(raw('<figure id="' .. figure.identifier .. '">'), figure.content,
                raw "<figcaption>", pandoc.Plain(caption), raw "</figcaption></figure>")
end

local function layout(content, columns)
  local cells = blocks()
  for _, block in ipairs(content) do
    if block.t == "Figure" and kind_of(block.identifier) then
      cells:extend(subfigure(block))
    elseif typst then
      cells:extend(blocks(raw "[", block, raw "],"))
    else
      cells:insert(block)
    end
  end
  if typst then
    return blocks(raw("#grid(columns: " .. columns .. ", gutter: 1em,"), cells, raw ")")
  end
  local style = "grid-template-columns: repeat(" .. columns .. ", 1fr)"
  return blocks(raw('<div class="layout" style="' .. style .. '">'), cells, raw "</div>")
end

local function float(element)
  local id = element.identifier
  local kind = kind_of(id)
  if kind ~= "fig" and kind ~= "tbl" or not numbers[id] then return nil end
  if numbers[id]:find "%(" then return nil end -- a subfigure: its float sets it
  local content, caption = caption_of(element)
  caption = pandoc.Plain(labelled(id, caption))
  local columns = element.attributes["layout-ncol"]
  if columns then content = layout(content, columns) end
  if typst then
    return blocks(
      raw('#figure(kind: "float-' .. kind .. '", supplement: none, numbering: none, caption: ['),
      caption, raw "])[", content, raw("] <" .. id .. ">"))
  end
  caption = blocks(raw "<figcaption>", caption, raw "</figcaption>")
  local open = raw('<figure id="' .. id .. '" class="float float-' .. kind .. '">')
  if kind == "tbl" then
    return blocks(open, caption, raw '<div class="table-scroll">', content, raw "</div></figure>")
  end
  return blocks(open, content, caption, raw "</figure>")
end

-- Callouts ----------------------------------------------------------------------------------

local function callout(div)
  local kind
  for name in pairs(CALLOUTS) do
    if div.classes:includes("callout-" .. name) then kind = name end
  end
  if not kind then return nil end
  local content = div.content:clone()
  local title = pandoc.Inlines(div.attributes.title or CALLOUTS[kind])
  if not div.attributes.title and content[1] and content[1].t == "Header" then
    title = content:remove(1).content
  end
  title = pandoc.Plain(title)
  if typst then
    return blocks(raw('#callout("' .. kind .. '", ['), title, raw "])[", content, raw "]")
  end
  local folded = div.attributes.collapse == "true"
  local outer, inner = "aside", "p"
  if folded then outer, inner = "details", "summary" end
  return blocks(
    raw(('<%s class="callout callout-%s"><%s class="callout-title">'):format(outer, kind, inner)),
    title, raw(("</%s>"):format(inner)), content, raw(("</%s>"):format(outer)))
end

-- The small rest ----------------------------------------------------------------------------

local function page_break(div)
  if not div.classes:includes "pagebreak" then return nil end
  return raw(typst and "#pagebreak(weak: true)" or '<div style="break-after: page"></div>')
end

-- Pandoc's Typst writer drops alternative texts, so pictures are written here.
local function picture(image)
  local words = image.attributes["fig-alt"] or image.attributes.alt
  image.attributes.alt, image.attributes["fig-alt"] = words, nil
  if not typst or not words then return image end
  local width = image.attributes.width
  return pandoc.RawInline("typst", ('#box(image("%s", alt: "%s"%s))'):format(
    image.src, words:gsub('["\\]', "\\%0"), width and ", width: " .. width or ""))
end

-- Pipe tables with long lines get widths by their dashes; the content knows better.
local function natural_widths(tbl)
  for _, spec in ipairs(tbl.colspecs) do spec[2] = nil end
  return tbl
end

function Pandoc(doc)
  doc = doc:walk { Div = conditional }
  doc = doc:walk { traverse = "topdown", Header = number_section,
                   Div = number_float, Figure = number_float }
  doc = doc:walk { Cite = resolve, Image = picture, Table = natural_widths }
  doc = doc:walk { Div = float, Figure = float }
  return doc:walk { Div = function(div) return callout(div) or page_break(div) end }
end
