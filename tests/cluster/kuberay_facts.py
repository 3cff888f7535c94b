"""Writes which fields KubeRay's definitions allow, as far as our manifests go: a file of facts.

python tests/cluster/kuberay_facts.py VERSION rayclusters.yaml rayjobs.yaml

The arguments are a version of KubeRay and the two definitions (CustomResourceDefinition) that it
comes with. Each object that a manifest fills in is entered with the names and the types of all its
fields, and those that it must have; test_kuberay.py compares manifests with them.
"""

import json
import sys
from pathlib import Path

import yaml

HERE = Path(__file__).parent
MANIFESTS = HERE.parents[1] / "platform/clusters/kuberay"
FACTS = HERE / "kuberay_fields.json"
# Definitions leave these to Kubernetes: what of them a manifest may give.
METADATA = {
    "annotations": {"*": "string"},
    "labels": {"*": "string"},
    "name": "string",
    "namespace": "string",
    "required": ["name"],
}


def manifests():
    """Returns KubeRay's own documents of all manifests."""
    files = sorted(MANIFESTS.glob("*.yaml"))
    documents = [one for file in files for one in yaml.safe_load_all(file.read_text())]
    return [one for one in documents if one["apiVersion"].startswith("ray.io/")]


def facts(schema, filled):
    """Returns what a schema says of the parts that values fill in, and the type of the others."""
    if schema.get("x-kubernetes-int-or-string"):
        return "integer or string"
    kind = schema.get("type", "any")
    values = [one for one in filled if one is not None]
    if kind == "array":
        items = [item for value in values for item in value]
        return [facts(schema["items"], items)] if items else "array"
    if kind == "object" and "additionalProperties" in schema and values:
        inner = [item for value in values for item in value.values()]
        return {"*": facts(schema["additionalProperties"], inner)}
    if kind == "object" and "properties" in schema and values:
        fields = {
            name: facts(field, [v[name] for v in values if name in v])
            for name, field in sorted(schema["properties"].items())
        }
        return {**fields, "required": sorted(schema.get("required", ()))}
    return {"one of": sorted(schema["enum"])} if "enum" in schema else kind


def main(version, *files):
    kinds = {}
    for file in files:
        definition = yaml.safe_load(Path(file).read_text())["spec"]
        kind = definition["names"]["kind"]
        (stored,) = [one for one in definition["versions"] if one["storage"]]
        filled = [one for one in manifests() if one["kind"] == kind]
        kinds[kind] = facts(stored["schema"]["openAPIV3Schema"], filled)
        api = f"{definition['group']}/{stored['name']}"
        kinds[kind] |= {"apiVersion": {"one of": [api]}, "kind": {"one of": [kind]}}
        kinds[kind] |= {"metadata": METADATA, "required": ["metadata", "spec"]}
    FACTS.write_text(json.dumps({"kuberay": version, "kinds": kinds}, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
