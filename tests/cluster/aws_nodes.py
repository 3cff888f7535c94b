"""Makes one worker of each kind as the head of an AWS cluster does, and looks at all instances.

python aws_nodes.py cluster.yaml     # where AWS_ENDPOINT_URL is an imitation: see aws.sh
"""

import json
import sys
from pathlib import Path

import boto3
import yaml
from ray.autoscaler._private.commands import _bootstrap_config
from ray.autoscaler._private.providers import _get_node_provider
from ray.autoscaler._private.util import hash_launch_conf
from ray.autoscaler.tags import (
    NODE_KIND_WORKER,
    TAG_RAY_LAUNCH_CONFIG,
    TAG_RAY_NODE_KIND,
    TAG_RAY_USER_NODE_TYPE,
)


def make_workers(config):
    """Starts one worker of each type, by the provider that the head uses."""
    provider = _get_node_provider(config["provider"], config["cluster_name"])
    for name, kind in config["available_node_types"].items():
        if name != config["head_node_type"]:
            tags = {
                TAG_RAY_NODE_KIND: NODE_KIND_WORKER,
                TAG_RAY_USER_NODE_TYPE: name,
                TAG_RAY_LAUNCH_CONFIG: hash_launch_conf(
                    kind["node_config"], config["auth"]
                ),
            }
            provider.create_node(kind["node_config"], tags, 1)


def instances():
    """Returns the running instances by their type among the cluster's."""
    found = boto3.client("ec2").describe_instances(
        Filters=[{"Name": "instance-state-name", "Values": ["running"]}]
    )
    nodes = [one for part in found["Reservations"] for one in part["Instances"]]
    return {tags(one)[TAG_RAY_USER_NODE_TYPE]: one for one in nodes}


def tags(instance):
    return {one["Key"]: one["Value"] for one in instance["Tags"]}


def profile(instance):
    return instance["IamInstanceProfile"]["Arn"].rpartition("/")[2]


def allowed(role):
    """Returns the actions that a role's own policy allows."""
    found = boto3.client("iam").get_role_policy(RoleName=role, PolicyName="orrery")
    document = found["PolicyDocument"]
    parsed = json.loads(document) if isinstance(document, str) else document
    return {action for one in parsed["Statement"] for action in one["Action"]}


def main(path):
    config = yaml.safe_load(Path(path).read_text())
    make_workers(_bootstrap_config(config))
    found = instances()
    assert found.keys() == {"head", "cpu", "gpu"}, found.keys()
    assert profile(found["head"]) == "orrery-head"
    groups = [one["SecurityGroups"] for one in found.values()]
    assert all(group == groups[0] for group in groups), groups
    for name in ("cpu", "gpu"):
        assert profile(found[name]) == "orrery-worker"
        assert found[name]["InstanceLifecycle"] == "spot"
        assert found[name]["KeyName"] == found["head"]["KeyName"]
    assert "s3:PutObject" in allowed("orrery-worker")
    assert not {one for one in allowed("orrery-worker") if not one.startswith("s3:")}
    assert {"ec2:RunInstances", "iam:PassRole", "ssm:GetParameters"} <= allowed(
        "orrery-head"
    )
    for name, one in found.items():
        print(f"{name}: {one['InstanceType']}, {one['ImageId']}, {profile(one)}")


if __name__ == "__main__":
    main(sys.argv[1])
