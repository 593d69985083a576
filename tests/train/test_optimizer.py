"""Muon's update is nearly orthogonal, whatever the gradient's scale."""

import pytest
import torch

from unmist.train.optimizer import Muon, orthogonalise


@pytest.mark.parametrize("shape", [(64, 64), (192, 64), (64, 96)])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_singular_values_are_near_one(shape: tuple[int, int], scale: float) -> None:
    matrix = scale * torch.randn(shape, generator=torch.Generator().manual_seed(1))
    result = orthogonalise(matrix)
    assert result.shape == matrix.shape
    values = torch.linalg.svdvals(result)
    typical = values[values.argsort()][len(values) // 10 :]
    assert typical.min() > 0.6
    assert values.max() < 1.3
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    cosine = (result * (left @ right)).sum() / result.norm() / (left @ right).norm()
    assert cosine > 0.95


def test_a_step_goes_downhill_by_a_size_that_the_gradient_does_not_decide() -> None:
    steps = []
    for scale in (1e-3, 1e3):
        weight = torch.nn.Parameter(torch.zeros(8, 16))
        target = torch.randn(8, 16, generator=torch.Generator().manual_seed(1))
        optimizer = Muon([weight], lr=0.1)
        loss = scale * ((weight - target) ** 2).sum()
        loss.backward()
        optimizer.step()
        assert scale * ((weight - target) ** 2).sum() < loss
        steps.append(weight.detach().clone())
    torch.testing.assert_close(steps[0], steps[1], atol=1e-3, rtol=0.01)


def test_a_weight_without_gradient_stays() -> None:
    weight = torch.nn.Parameter(torch.ones(4, 4))
    Muon([weight], lr=0.1).step()
    assert torch.equal(weight, torch.ones(4, 4))
