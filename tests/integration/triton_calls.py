"""Run by the interpreter of NVIDIA's client: asks a service, prints what it was told as JSON. Imports nothing of ours."""

import json
import sys

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException, triton_to_np_dtype


def main(address: str, model: str, records: list[dict[str, object]]) -> dict[str, object]:
    client = InferenceServerClient(address)
    described = client.get_model_metadata(model)

    def inputs(rows: list[dict[str, object]], *, binary: bool = True, narrow: bool = False) -> list[InferInput]:
        made = []
        for each in described["inputs"]:
            datatype = "FP32" if narrow and each["datatype"] == "FP64" else each["datatype"]
            tensor = InferInput(each["name"], [len(rows), 1], datatype)
            values = np.array([[row[each["name"]]] for row in rows], dtype=triton_to_np_dtype(datatype))
            tensor.set_data_from_numpy(values, binary_data=binary)
            made.append(tensor)
        return made

    def told(result: object, *names: str) -> dict[str, object]:
        found = {name: result.as_numpy(name).tolist() for name in names}
        return {name: [v.decode() if isinstance(v, bytes) else v for v in values] for name, values in found.items()}

    def refused(*given: object, **named: object) -> list[str]:
        try:
            client.infer(*given, **named)
        except InferenceServerException as error:
            return [error.status(), error.message()]
        raise AssertionError("it was taken")

    always, keyed = ("decision_id", "action", "probability"), {"Idempotency-Key": "k"}
    return {
        "live": client.is_server_live(),
        "ready": client.is_server_ready() and client.is_model_ready(model) and client.is_model_ready(model, "1"),
        "unknown": client.is_model_ready("other"),
        "server": client.get_server_metadata()["name"],
        "binary": told(client.infer(model, inputs(records)), *always),
        "json": told(
            client.infer(
                model,
                inputs(records, binary=False),
                model_version="1",
                request_id="q7",
                outputs=[InferRequestedOutput(name, binary_data=False) for name in (*always, "reasons")],
            ),
            *always,
            "reasons",
        ),
        "retried": [told(client.infer(model, inputs(records), headers=keyed), *always) for _ in range(2)],
        "awaited": told(client.async_infer(model, inputs(records)).get_result(), *always),
        "narrow": refused(model, inputs(records, narrow=True)),
        "wrong": refused(model, inputs([records[0] | {"status_0": 99}])),
        "version": refused(model, inputs(records), model_version="7"),
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))))
