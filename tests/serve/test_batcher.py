"""The batcher: fair, bounded per batch, one batch at a time, and no one's trouble is another's."""

import asyncio
import threading

import pytest

from unmist.serve.batcher import Batcher, OverloadError

OVERHEAD = 16


class Compute:
    """Answers a text with (question, text); waits for ``gate``; keeps every call."""

    def __init__(self):
        self.batches = []
        self.gate = threading.Event()
        self.gate.set()
        self.started = threading.Event()

    def __call__(self, items):
        question, texts = items[0][0], [text for _, text in items]
        self.batches.append((question, texts))
        self.started.set()
        assert self.gate.wait(10)
        if "short" in texts:
            return []
        if any("broken" in text for text in texts):
            raise RuntimeError
        return list(items)


@pytest.fixture
def scene(until):
    """Run ``scenario(compute, batcher, ask)`` on an event loop."""

    def run(scenario, **sizes):
        async def main():
            compute = Compute()
            sizes_ = {"batch_bytes": 2000, "slice_bytes": 200, **sizes}
            batcher = Batcher(compute, cost=lambda _, text: len(text) + OVERHEAD, **sizes_)
            batcher.start()

            def ask(texts, question="q", seconds=10):
                items = [(question, text) for text in texts]
                return asyncio.create_task(batcher.ask(items, seconds))

            try:
                await scenario(compute, batcher, ask)
            finally:
                compute.gate.set()
                await batcher.stop()

        asyncio.run(main())

    return run


async def hold(compute, ask):
    """Keep the worker busy, so that what follows gathers in the queue."""
    compute.gate.clear()
    held = ask(["held"])
    await asyncio.to_thread(compute.started.wait, 10)
    return held


def test_answers_keep_their_order_whatever_is_asked(scene):
    async def scenario(compute, batcher, ask):
        items = [(f"q{i % 3}", f"text {i}") for i in range(500)]
        assert await batcher.ask(items, 10) == items
        assert await batcher.ask([], 10) == []

    scene(scenario)


def test_a_small_request_does_not_wait_for_a_huge_one(scene):
    async def scenario(compute, batcher, ask):
        held = await hold(compute, ask)
        huge = ask([f"huge {i:04}" for i in range(2000)])
        small = [ask([f"small {i}"]) for i in range(5)]
        await asyncio.sleep(0)
        compute.gate.set()
        await asyncio.gather(held, *small)
        assert not huge.done()
        assert {f"small {i}" for i in range(5)} <= set(compute.batches[1][1])
        assert len(await huge) == 2000

    scene(scenario)


def test_a_batch_keeps_to_its_budget(scene):
    async def scenario(compute, batcher, ask):
        await asyncio.gather(*(ask(["x" * 84] * 50) for _ in range(4)))
        sizes = [len(texts) * (84 + OVERHEAD) for _, texts in compute.batches]
        assert max(sizes) == 2000
        assert len(sizes) <= 11  # and fills it: 200 texts of 100 bytes

    scene(scenario)


def test_a_text_above_every_budget_still_goes_through(scene):
    async def scenario(compute, batcher, ask):
        assert len(await ask(["x" * 5000, "y", "z" * 5000])) == 3

    scene(scenario)


def test_same_questions_of_different_requests_share_a_call(scene):
    async def scenario(compute, batcher, ask):
        held = await hold(compute, ask)
        asked = [ask([f"t{i}"], question=f"q{i % 2}") for i in range(6)]
        await asyncio.sleep(0)
        compute.gate.set()
        await asyncio.gather(held, *asked)
        assert compute.batches[1:] == [("q0", ["t0", "t2", "t4"]), ("q1", ["t1", "t3", "t5"])]

    scene(scenario)


def test_questions_that_are_alike_share_a_call(scene):
    async def scenario(compute, batcher, ask):
        held = await hold(compute, ask)
        asked = [ask([f"t{i}"], question=f"q{i % 3}") for i in range(6)]
        await asyncio.sleep(0)
        compute.gate.set()
        _, *answers = await asyncio.gather(held, *asked)
        assert compute.batches[1:] == [
            ("q0", ["t0", "t1", "t3", "t4"]),
            ("q2", ["t2", "t5"]),
        ]
        assert answers == [[(f"q{i % 3}", f"t{i}")] for i in range(6)]

    scene(scenario, alike=lambda question: question == "q2")


def test_a_cancelled_request_is_not_computed(scene):
    async def scenario(compute, batcher, ask):
        held = await hold(compute, ask)
        gone, stays = ask(["gone"]), ask(["stays"])
        await asyncio.sleep(0)
        assert batcher.waiting == 2
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        assert batcher.waiting == 1
        compute.gate.set()
        await asyncio.gather(held, stays)
        assert not any("gone" in texts for _, texts in compute.batches)

    scene(scenario)


def test_one_cancelled_in_the_middle_of_its_batch_harms_nobody(scene):
    async def scenario(compute, batcher, ask):
        held = await hold(compute, ask)
        held.cancel()
        after = ask(["after"])
        await asyncio.sleep(0)
        compute.gate.set()
        assert await after == [("q", "after")]
        assert held.cancelled()

    scene(scenario)


def test_the_deadline_takes_a_request_out_of_the_queue(scene):
    async def scenario(compute, batcher, ask):
        held = await hold(compute, ask)
        with pytest.raises(TimeoutError):
            await ask(["late"], seconds=0.05)
        assert batcher.waiting == 0
        compute.gate.set()
        await held

    scene(scenario)


def test_a_failing_request_fails_alone(scene):
    async def scenario(compute, batcher, ask):
        held = await hold(compute, ask)
        asked = [ask(["good"]), ask(["broken"]), ask(["short"]), ask(["fine"] * 30)]
        await asyncio.sleep(0)
        compute.gate.set()
        good, broken, short, fine = await asyncio.gather(*asked, return_exceptions=True)
        assert good == [("q", "good")]
        assert isinstance(broken, RuntimeError)
        assert isinstance(short, ValueError)
        assert len(fine) == 30
        assert batcher.alive
        await held

    scene(scenario)


def test_stopping_cancels_what_waits(scene):
    async def scenario(compute, batcher, ask):
        held = await hold(compute, ask)
        waits = ask(["waits"])
        await asyncio.sleep(0)
        await batcher.stop(seconds=0.01)
        assert batcher.computing
        compute.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await waits
        assert not batcher.alive
        held.cancel()

    scene(scenario)


def test_what_cannot_be_done_in_time_is_refused_at_once(scene):
    async def scenario(compute, batcher, ask):
        assert batcher.expected_seconds(10**9) == 0  # nothing was measured yet
        await ask(["x" * 84] * 20)  # a full batch: now its rate is known
        held = await hold(compute, ask)
        batcher._rate = 1000.0
        huge = ask(["x" * 84] * 50)  # 5000 bytes, 5 s
        await asyncio.sleep(0)
        calls = len(compute.batches)
        with pytest.raises(OverloadError) as raised:
            await ask(["x" * 84] * 60, seconds=10)  # takes turns with the first: 11 s
        assert raised.value.seconds == pytest.approx(11)
        small = ask(["small"], seconds=10)  # one turn of the first, and itself
        await asyncio.sleep(0)
        assert batcher.expected_seconds(21) == pytest.approx(0.2 + 2 * 0.021)
        assert len(compute.batches) == calls
        compute.gate.set()
        await asyncio.gather(held, huge, small)

    scene(scenario)


def test_an_idle_service_tries_whatever_it_expects(scene):
    async def scenario(compute, batcher, ask):
        batcher._rate = 1e-3
        assert len(await ask(["x" * 84] * 60)) == 60

    scene(scenario)
