"""Floating-point format and device of the networks."""

from contextlib import AbstractContextManager, nullcontext

import torch

from muscle_study.networks.parameters import Precision

#: Capabilities of CPUs with native bfloat16 (x86, x86, ARM); emulation is slower than 32 bits.
BFLOAT16_CAPABILITIES = ("avx512_bf16", "amx_bf16", "bf16")

AUTOCAST = {"16-mixed": torch.float16, "bf16-mixed": torch.bfloat16}


def device_of(accelerator: str) -> torch.device:
    """Return the device for an ``accelerator`` (auto, cpu, gpu)."""
    on_gpu = accelerator == "gpu" or (accelerator == "auto" and torch.cuda.is_available())
    return torch.device("cuda" if on_gpu else "cpu")


def resolved(precision: Precision, device: torch.device) -> Precision:
    """Return the precision, with ``auto`` replaced by the fastest on the device."""
    if precision != "auto":
        return precision
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        return "bf16-mixed" if native else "16-mixed"
    capabilities = torch.cpu.get_capabilities()
    native = any(capabilities.get(name, False) for name in BFLOAT16_CAPABILITIES)
    return "bf16-mixed" if native else "32-true"


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager:
    """Return the context in which a network computes in a precision."""
    name = resolved(precision, device)
    if name == "32-true":
        return nullcontext()
    return torch.autocast(device.type, AUTOCAST[name])
