"""The manifests for Kubernetes have the fields that KubeRay's definitions allow, and no others."""

import copy
import json
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "platform/clusters/kuberay"
FILES = ("ray_cluster.yaml", "ray_job.yaml")
FACTS = json.loads((Path(__file__).parent / "kuberay_fields.json").read_text())
TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "integer or string": (int, str),
}
# Objects whose names are no fields: a manifest chooses them.
FREE = ("labels", "annotations", "rayStartParams", "requests", "limits")


def documents(file):
    """Returns the documents of a manifest by their kinds."""
    found = yaml.safe_load_all((FOLDER / file).read_text())
    return {document["kind"]: document for document in found}


def ours():
    """Returns KubeRay's own documents of all manifests."""
    found = [one for file in FILES for one in documents(file).values()]
    return [one for one in found if one["kind"] in FACTS["kinds"]]


def complaints(value, facts, place=""):
    """Returns what a value has that its facts do not allow."""
    if isinstance(facts, str):
        right = facts in TYPES and isinstance(value, TYPES[facts])
        right &= facts == "boolean" or not isinstance(value, bool)
        return [] if right else [f"{place} is no {facts}"]
    if isinstance(facts, list):
        if not isinstance(value, list):
            return [f"{place} is no list"]
        inner = [complaints(one, facts[0], f"{place}[]") for one in value]
        return [one for found in inner for one in found]
    if "one of" in facts:
        return [] if value in facts["one of"] else [f"{place} is {value}"]
    return of_object(value, facts, place)


def of_object(value, facts, place):
    if not isinstance(value, dict):
        return [f"{place} is no object"]
    found = [f"{place}.{name} is missing" for name in facts.get("required", ())
             if name not in value]  # fmt: skip
    for name, inner in value.items():
        allowed = facts.get(name, facts.get("*"))
        if allowed is None or name == "required":
            found.append(f"{place}.{name} is unknown")
        else:
            found += complaints(inner, allowed, f"{place}.{name}")
    return found


def check(kind, document):
    return complaints(document, FACTS["kinds"][kind], kind)


def objects(value, name=""):
    """Yields each object inside with the name of the field that holds it."""
    if isinstance(value, dict):
        yield name, value
        for key, inner in value.items():
            yield from objects(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from objects(inner, name)


def planted(document, change):
    """Yields copies of which one field of one object was changed, each field once."""
    for number, (holder, found) in enumerate(objects(document)):
        for name in () if holder in FREE and change is misspell else found:
            changed = copy.deepcopy(document)
            change(list(objects(changed))[number][1], name)
            yield name, changed


@pytest.mark.parametrize("document", ours(), ids=lambda one: one["kind"])
def test_fields_are_those_of_kuberay(document):
    assert check(document["kind"], document) == []


def misspell(holder, name):
    holder[f"{name}s"] = holder.pop(name)


def give_a_wrong_type(holder, name):
    holder[name] = [1.5]


@pytest.mark.parametrize("change", [misspell, give_a_wrong_type])
@pytest.mark.parametrize("document", ours(), ids=lambda one: one["kind"])
def test_planted_mistakes_are_refused(document, change):
    changed = list(planted(document, change))
    passed = [name for name, one in changed if not check(document["kind"], one)]
    assert len(changed) > 60
    assert passed == []


def test_a_missing_field_is_refused():
    document = copy.deepcopy(ours()[0])
    del document["spec"]["headGroupSpec"]["template"]
    assert check("RayCluster", document) == [
        "RayCluster.spec.headGroupSpec.template is missing"
    ]


def specs():
    """Returns the clusters of both manifests."""
    cluster = documents("ray_cluster.yaml")["RayCluster"]["spec"]
    return [cluster, documents("ray_job.yaml")["RayJob"]["spec"]["rayClusterSpec"]]


def test_every_cluster_has_our_ray_its_doors_shut_and_room_in_shared_memory():
    (ray,) = re.findall(r"^ray==(.*)$", (ROOT / "constraints.txt").read_text(), re.M)
    for spec in specs():
        assert spec["rayVersion"] == ray
        assert spec["authOptions"] == {"mode": "token"}
        assert spec["tlsOptions"] == {"enabled": True}
        for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"]):
            pod = group["template"]["spec"]
            (container,) = pod["containers"]
            mounts = {
                one["mountPath"]: one["name"] for one in container["volumeMounts"]
            }
            volumes = {one["name"]: one for one in pod["volumes"]}
            assert volumes[mounts["/dev/shm"]]["emptyDir"]["medium"] == "Memory"
            for folder in ("datasets", "runs"):
                volume = volumes[mounts[f"/home/ray/orrery/{folder}"]]
                assert volume["persistentVolumeClaim"]["claimName"] == "orrery"


def test_both_manifests_describe_the_same_cluster():
    one, other = specs()
    assert one == other


def test_the_image_installs_what_the_other_clusters_do():
    lines = (FOLDER / "Dockerfile").read_text()
    assert "RUN bash platform/clusters/environment.sh" in lines
    assert "FROM python:3.11" in lines  # the Python of the constraints
    pod = specs()[0]["headGroupSpec"]["template"]["spec"]
    assert pod["containers"][0]["image"] in lines
