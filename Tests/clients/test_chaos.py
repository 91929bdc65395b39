"""Some seconds of everything going wrong at once. Benchmarks/chaos is a longer one of this."""

import os

from chaos import Chaos

SECONDS = float(os.environ.get("ROOST_CHAOS_SECONDS", "12"))
SEED = int(os.environ.get("ROOST_SEED", "1"))
RESUME = float(os.environ.get("ROOST_CHAOS_RESUME", "5"))
"""Seconds within which answers have to come again: a machine that runs other tests beside is given more than the one
that Benchmarks/chaos asks for."""


def test_every_request_has_one_answer_whatever_breaks(tmp_path):
    with Chaos(tmp_path, SEED, clients=2, connections=3, log=print) as chaos:
        chaos.prepare()
        before = chaos.settle()
        chaos.run(SECONDS)
        after = chaos.settle()
        chaos.check_end()
        assert not chaos.verdict(before, after, resume=RESUME)
