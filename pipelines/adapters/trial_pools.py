"""Where the losses of trials are computed: threads of this process, or Dask workers.

A pool only evaluates; what is tried next is decided in one place (`optuna_search`). So the trials are the same wherever they ran.
"""

import logging
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from models.errors import Misconfigured, Unavailable
from models.estimator import Parameters
from pipelines.search import Loss

LOCAL = "local"
Evaluate = Callable[[Parameters, int], "Future[float]"]
"""Begins to compute the loss of parameters on a fold."""


class Pool(Protocol):
    def begun(self, loss: Loss) -> AbstractContextManager[Evaluate]:
        """Ready to evaluate; what was begun and not waited for is forgotten at the end."""
        ...


class Threads:
    """Threads suffice on one machine: LightGBM releases the interpreter's lock."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    @contextmanager
    def begun(self, loss: Loss) -> Iterator[Evaluate]:
        with ThreadPoolExecutor(self._workers) as pool:
            yield lambda parameters, fold: pool.submit(loss, parameters, fold)


class DaskWorkers:
    """Processes of this machine (`local`), or the workers of a scheduler by its address (`tcp://host:8786`).

    What a worker was computing when it was killed is computed again by another, three times at most. Whoever reaches a scheduler
    can run code on its workers: keep it in a closed network, with TLS (Dask's own configuration).
    """

    def __init__(self, scheduler: str, workers: int) -> None:
        """Raises `Misconfigured` without Dask."""
        try:
            import distributed
        except ImportError as error:
            raise Misconfigured("Dask is not installed", hint="install steward[dask], or unset STEWARD_PIPELINES_DASK") from error
        logging.getLogger("distributed").setLevel(logging.ERROR)
        self._dask: Any = distributed
        self._scheduler, self._workers = scheduler, workers

    @contextmanager
    def begun(self, loss: Loss) -> Iterator[Evaluate]:
        from cloudpickle import dumps

        with self._client() as client, warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)  # the rows of the search: once a worker
            # As a task, not as scattered data: who has lost it with its worker can make it again.
            loaded = client.submit(_loaded, dumps(loss), pure=False)

            def evaluate(parameters: Parameters, fold: int) -> "Future[float]":
                return _translated(client.submit(_computed, loaded, dict(parameters), fold, pure=False))

            yield evaluate

    def _cluster(self) -> Any:
        quiet: dict[str, Any] = {"dashboard_address": None, "silence_logs": logging.ERROR}
        return self._dask.LocalCluster(n_workers=self._workers, threads_per_worker=1, host="127.0.0.1", **quiet)

    @contextmanager
    def _client(self) -> Iterator[Any]:
        try:
            if self._scheduler != LOCAL:
                with self._dask.Client(self._scheduler, timeout="15s", set_as_default=False) as client:
                    yield client
                return
            with self._cluster() as cluster, self._dask.Client(cluster, set_as_default=False) as client:
                yield client
        except (OSError, TimeoutError) as error:
            raise Unavailable(
                f"the Dask scheduler {self._scheduler} does not answer: {error}", hint="start it, or unset STEWARD_PIPELINES_DASK"
            ) from error


def _loaded(pickled: bytes) -> Loss:
    from pickle import loads

    loss: Loss = loads(pickled)  # noqa: S301, by our own client
    return loss


def _computed(loss: Loss, parameters: Parameters, fold: int) -> float:
    return loss(parameters, fold)


def _translated(begun: Any) -> "Future[float]":
    """Dask's future as one of the standard library, which `wait` knows."""
    from distributed import KilledWorker

    told: Future[float] = Future()

    def finished(found: Any) -> None:
        if not told.set_running_or_notify_cancel():
            found.release()
            return
        try:
            told.set_result(found.result())
        except KilledWorker as error:
            told.set_exception(
                Unavailable(
                    f"a trial was with several workers when they were killed: {error}",
                    hint="look at their memory; the same command goes on from here",
                )
            )
        except BaseException as error:  # noqa: BLE001, whatever it is, whoever waits must hear of it
            told.set_exception(error)

    begun.add_done_callback(finished)
    return told
