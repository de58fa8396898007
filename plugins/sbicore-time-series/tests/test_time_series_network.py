"""What is special about the convolutional and recurrent network: each hyperparameter, masks, skipping."""

from __future__ import annotations

import attrs
import pytest
import torch
from sbicore_time_series import TimeSeriesNetwork
from sbicore_time_series.convolution import SeriesConvolution
from sbicore_time_series.recurrence import EndStates, SkipRecurrence

from sbicore.errors import ConfigError
from sbicore.shapes import Shapes

SHAPES = Shapes(target=(12, 3))
SMALL = {"filters": [8], "recurrent_dim": 8}
CHANGES = {
    "summary_dim": {"summary_dim": 4},
    "filters": {"filters": [4]},
    "kernel_sizes": {"kernel_sizes": [5]},
    "strides": {"strides": [2]},
    "activation": {"activation": "tanh"},
    "recurrent_type": {"recurrent_type": "lstm"},
    "recurrent_dim": {"recurrent_dim": 4},
    "bidirectional": {"bidirectional": False},
    "skip_steps": {"skip_steps": None},
    "dropout": {"dropout": 0.5},
}


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def build(**changes):
    torch.manual_seed(0)
    return TimeSeriesNetwork(**{**SMALL, **changes}).build(SHAPES)


def test_each_hyperparameter_changes_the_result():
    assert set(CHANGES) == {field.name for field in attrs.fields(TimeSeriesNetwork)}
    x = random(5, 12, 3)
    for name, change in CHANGES.items():
        results = []
        for module in (build(), build(**change)):
            torch.manual_seed(1)
            results.append(module(x))
        one, other = results
        assert one.shape != other.shape or not torch.allclose(one, other), name


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"filters": [8, 8]}, r"one number for each of the 2 filters, got 1  @ \$\.kernel_sizes"),
        ({"filters": [8, 8], "kernel_sizes": [3, 3]}, r"@ \$\.strides"),
        ({"kernel_sizes": [2], "strides": [3]}, r"a stride of 3 with a kernel of 2 leaves entries out  @ \$\.strides"),
        ({"skip_steps": 1}, r"@ \$\.skip_steps"),
    ],
)
def test_what_cannot_work_is_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        TimeSeriesNetwork(**wrong)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_end_states_are_those_of_a_packed_sequence(cell):
    states = EndStates(3, 4, cell, bidirectional=True)
    reference = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[cell](3, 4, batch_first=True, bidirectional=True)
    weights = states.forwards.state_dict()
    weights |= {f"{name}_reverse": value for name, value in states.backwards.state_dict().items()}
    reference.load_state_dict(weights)
    x, lengths = random(3, 6, 3), torch.tensor([6, 1, 4])
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    last = reference(packed)[1]
    last = last[0] if cell == "lstm" else last
    torch.testing.assert_close(states(x, torch.arange(6) < lengths[:, None]), last.transpose(0, 1).flatten(1))


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_the_recurrence_leaves_out_masked_entries_anywhere(cell):
    module = build(kernel_sizes=[1], recurrent_type=cell, skip_steps=None).eval()
    x, kept = random(2, 7, 3), [0, 2, 3, 6]
    mask = torch.zeros(2, 7, dtype=torch.bool)
    mask[:, kept] = True
    torch.testing.assert_close(module(x, mask), module(x[:, kept]))


@pytest.mark.parametrize("size", [2, 3, 7])
def test_skipping_is_the_same_recurrence_on_every_nth_entry(size):
    states = EndStates(3, 4, "gru", bidirectional=True)
    x = random(2, size, 3)
    expected = torch.zeros(2, 3, 8)
    for phase in range(min(3, size)):
        expected[:, phase] = states(x[:, phase::3], None)
    torch.testing.assert_close(SkipRecurrence(states, 3)(x, None), expected.flatten(1))


@pytest.mark.parametrize(("kernel_size", "stride"), [(3, 1), (4, 1), (3, 2), (3, 3), (7, 2)])
def test_a_convolution_keeps_what_is_there_whatever_is_appended(kernel_size, stride):
    convolution = SeriesConvolution(3, 4, kernel_size, stride, "mish")
    for size in (1, 2, 5, 6):
        x = random(2, size, 3)
        expected, _ = convolution(x, None)
        assert expected.shape == (2, -(-size // stride), 4)
        longer = torch.cat([x, random(2, 4, 3)], dim=1)
        mask = torch.arange(size + 4).expand(2, -1) < size
        got, kept = convolution(longer, mask)
        assert kept.sum(1).tolist() == [expected.shape[1]] * 2
        torch.testing.assert_close(got[:, : expected.shape[1]], expected)


def test_a_row_without_entries_has_the_summary_of_zero_states():
    module = build().eval()
    got = module(random(2, 5, 3), torch.zeros(2, 5, dtype=torch.bool))
    torch.testing.assert_close(got, module.out.bias.expand(2, -1))
