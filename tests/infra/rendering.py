"""Render a chart with Helm's own library, and judge what comes out by Kubernetes' schemas. Run by that of `tests.helm`.

The library has no rendering alone: it installs. So it installs into an API that knows the kinds of Kubernetes, takes down the
release that Helm records before it makes anything, and then refuses.

usage: rendering.py CHART VALUES VERSION    writes JSON: the objects, and what the schemas find wrong
"""

import asyncio
import base64
import gzip
import json
import re
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import helm_sdkpy
import kubernetes_validate
import yaml

KINDS = {
    "v1": [
        ("secrets", "Secret"),
        ("services", "Service"),
        ("serviceaccounts", "ServiceAccount"),
        ("persistentvolumeclaims", "PersistentVolumeClaim"),
    ],
    "apps/v1": [("deployments", "Deployment")],
    "batch/v1": [("jobs", "Job")],
    "policy/v1": [("poddisruptionbudgets", "PodDisruptionBudget")],
    "autoscaling/v2": [("horizontalpodautoscalers", "HorizontalPodAutoscaler")],
    "networking.k8s.io/v1": [("networkpolicies", "NetworkPolicy")],
}
PACKED = re.compile(rb"H4sI[A-Za-z0-9+/]{100,}={0,2}")
"""What a release looks like in the secret that records it: gzip, in base64."""
GROUPS = [version.split("/") for version in KINDS if "/" in version]


class Api(BaseHTTPRequestHandler):
    """As much of Kubernetes' API as Helm asks before it records a release."""

    release = b""

    def do_GET(self):
        path = self.path.split("?")[0].strip("/")
        kinds = KINDS.get(path.removeprefix("api/").removeprefix("apis/"))
        if path == "version":
            self.answer({"major": "1", "minor": MINOR, "gitVersion": f"v1.{MINOR}.0"})
        elif path == "api":
            self.answer({"kind": "APIVersions", "versions": ["v1"]})
        elif path == "apis":
            found = [{"groupVersion": f"{group}/{version}", "version": version} for group, version in GROUPS]
            groups = [
                {"name": group, "versions": [each], "preferredVersion": each}
                for (group, _), each in zip(GROUPS, found, strict=True)
            ]
            self.answer({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
        elif kinds:
            verbs = ["create", "get", "list", "patch", "watch"]
            named = [{"name": many, "singularName": "", "kind": kind, "namespaced": True, "verbs": verbs} for many, kind in kinds]
            self.answer(
                {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": path.split("/", 1)[1], "resources": named}
            )
        elif path.endswith("/secrets"):
            self.answer({"kind": "SecretList", "apiVersion": "v1", "metadata": {}, "items": []})
        else:
            self.answer({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}, 404)

    def do_POST(self):
        said = self.rfile.read(int(self.headers["content-length"]))
        if found := PACKED.search(said):  # within a secret, in Kubernetes' own binary form
            Api.release = gzip.decompress(base64.b64decode(found[0]))
        self.answer(
            {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "seen"},
            403,
        )

    def answer(self, document, code=200):
        data = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """Nobody reads it."""


def release(chart, values):
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server, tempfile.TemporaryDirectory() as folder:
        Thread(target=server.serve_forever, daemon=True).start()
        cluster = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
        context = {"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "bank"}}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [cluster],
            "contexts": [context],
            "users": [{"name": "u", "user": {}}],
        }
        file = Path(folder) / "kubeconfig"
        file.write_text(yaml.safe_dump(config | {"current-context": "c"}))
        install = helm_sdkpy.Install(helm_sdkpy.Configuration(namespace="bank", kubeconfig=str(file)))
        try:
            asyncio.run(install.run("steward", chart, values=values, wait=False, timeout=30))
        except helm_sdkpy.HelmError as error:
            if not Api.release:
                sys.exit(f"Helm: {error}")
        server.shutdown()
    return json.loads(Api.release)


def wrong(document, version):
    try:
        kubernetes_validate.validate(document, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{document['kind']} {document['metadata']['name']}: {error.message}"]
    return []


if __name__ == "__main__":
    chart, given, version = sys.argv[1:]
    MINOR = version.split(".")[1]
    made = release(chart, yaml.safe_load(Path(given).read_text()) or {})
    texts = [made["manifest"], *(hook["manifest"] for hook in made.get("hooks") or ())]
    objects = [found for text in texts for found in yaml.safe_load_all(text) if found]
    print(json.dumps({"objects": objects, "wrong": [line for found in objects for line in wrong(found, version)]}))
