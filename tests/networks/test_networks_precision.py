import pytest
import torch

from muscle_study.networks.precision import autocast, resolved

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize("capability", ["avx512_bf16", "amx_bf16", "bf16"])
def test_a_processor_that_multiplies_bfloat16_is_let_to(monkeypatch, capability):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {capability: True})
    assert resolved("auto", CPU) == "bf16-mixed"


def test_another_processor_computes_in_32_bits(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": False})
    assert resolved("auto", CPU) == "32-true"


@pytest.mark.parametrize(("native", "precision"), [(True, "bf16-mixed"), (False, "16-mixed")])
def test_a_gpu_computes_in_the_16_bits_that_it_need_not_emulate(monkeypatch, native, precision):
    monkeypatch.setattr(
        torch.cuda,
        "is_bf16_supported",
        lambda including_emulation=True: native or including_emulation,
    )
    assert resolved("auto", GPU) == precision


def test_what_is_asked_for_is_taken():
    assert resolved("32-true", GPU) == "32-true"


@pytest.mark.parametrize(
    ("precision", "dtype"), [("32-true", torch.float32), ("bf16-mixed", torch.bfloat16)]
)
def test_the_network_computes_in_it(precision, dtype):
    network = torch.nn.Conv3d(1, 1, 1)
    with torch.inference_mode(), autocast(precision, CPU):
        assert network(torch.zeros(1, 1, 2, 2, 2)).dtype == dtype
