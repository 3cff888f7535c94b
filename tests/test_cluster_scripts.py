"""Scripts of clusters, with commands that say what they were asked for."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

CLUSTERS = Path(__file__).parents[1] / "platform/clusters"


@pytest.fixture
def ran(tmp_path):
    """Runs a script with commands of our own; returns its end and what they were asked."""

    def run(script, *arguments, **commands):
        places = tmp_path / "bin"
        places.mkdir(exist_ok=True)
        for name, body in commands.items():
            text = f'#!/bin/bash\necho "{name} $*" >> {tmp_path}/asked\n{body}\n'
            (places / name).write_text(text)
            (places / name).chmod(0o755)
        done = subprocess.run(
            ["bash", str(script), *arguments],
            check=False,
            capture_output=True,
            text=True,
            env={"PATH": f"{places}:{os.environ['PATH']}", "HOME": str(tmp_path)},
        )
        return done, (tmp_path / "asked").read_text().splitlines()

    return run


@pytest.mark.parametrize("script", sorted(CLUSTERS.glob("*.sh")), ids=lambda p: p.name)
def test_scripts_are_valid_shell(script):
    subprocess.run(["bash", "-n", str(script)], check=True)


@pytest.mark.parametrize("name", ["aws_roles.sh", "environment.sh"])
def test_lists_that_may_be_empty_are_no_unset_variables_for_old_bash(name):
    text = (CLUSTERS / name).read_text()
    lists = re.findall(r'\+?"\$\{\w+\[@\]\}"', text)
    assert lists
    assert all(one.startswith("+") for one in lists)


AWS = """case "$*" in
    *Roles*) echo $ROLE ;;
    *Role.Arn*) echo arn:aws:iam::1:role/orrery-worker ;;
esac"""


def test_roles_called_again_without_a_bucket_take_it_away(ran):
    done, asked = ran(CLUSTERS / "aws_roles.sh", aws=AWS)
    assert done.returncode == 0, done.stderr
    taken = "delete-role-policy --role-name orrery-worker --policy-name orrery"
    assert f"aws iam {taken}" in asked
    assert not any("delete-role-policy --role-name orrery-head" in one for one in asked)


def test_roles_with_a_bucket_are_given_it(ran):
    _, asked = ran(CLUSTERS / "aws_roles.sh", "stars", aws=AWS)
    given = [one for one in asked if "put-role-policy" in one]
    assert all("arn:aws:s3:::stars" in one for one in given)
    assert len(given) == 2
    assert not any("delete-role-policy" in one for one in asked)


@pytest.mark.parametrize("name", ["orrery-head", "orrery-worker"])
def test_a_profile_that_lost_its_role_gets_it(ran, name):
    _, asked = ran(CLUSTERS / "aws_roles.sh", aws=AWS.replace("$ROLE", "None"))
    added = "add-role-to-instance-profile --instance-profile-name"
    assert f"aws iam {added} {name} --role-name {name}" in asked
    _, asked = ran(CLUSTERS / "aws_roles.sh", aws=AWS.replace("$ROLE", name))
    assert asked.count(f"aws iam {added} {name} --role-name {name}") == 1


def test_workers_that_are_not_known_are_told_and_the_head_stops(ran):
    done, asked = ran(CLUSTERS / "stop.sh", ray="[ $1 = stop ]")
    assert done.returncode == 1
    assert "run `ray stop` on each" in done.stderr
    assert "ray stop" in asked


def test_workers_are_stopped_where_only_stop_runs(ran, tmp_path):
    """As in a folder that is refused: the launch file's copy on the head names them."""
    launched = {"provider": {"worker_ips": ["10.0.0.8", "10.0.0.9"]}}
    (tmp_path / "ray_bootstrap_config.yaml").write_text(json.dumps(launched))
    done, asked = ran(CLUSTERS / "stop.sh", ray="[ $1 = stop ]", ssh="")
    assert done.returncode == 0, done.stderr
    assert "ray stop" in asked
    assert re.findall(r"@(10[\d.]+) ", "\n".join(asked)) == ["10.0.0.8", "10.0.0.9"]


def test_workers_are_stopped_where_rays_own_list_of_them_is_lost(ran, tmp_path):
    """As after a restart of the head: `ray get-worker-ips` then names none, with success."""
    launched = {"provider": {"worker_ips": ["10.0.0.8"]}}
    (tmp_path / "ray_bootstrap_config.yaml").write_text(json.dumps(launched))
    done, asked = ran(CLUSTERS / "stop.sh", ray="", ssh="")
    assert done.returncode == 0, done.stderr
    assert re.findall(r"@(10[\d.]+) ", "\n".join(asked)) == ["10.0.0.8"]


def test_workers_that_are_known_are_stopped(ran):
    done, asked = ran(
        CLUSTERS / "stop.sh", ray="[ $1 = stop ] || echo 10.0.0.8", ssh=""
    )
    assert done.returncode == 0
    (told,) = [one for one in asked if "@10.0.0.8 " in one]
    # whatever shell the account has there
    assert told.endswith("bash -c '. ~/orrery/platform/clusters/shell.sh; ray stop'")


def test_an_environment_that_was_not_finished_is_made_again(ran, tmp_path):
    script = tmp_path / "platform/clusters/environment.sh"
    script.parent.mkdir(parents=True)
    script.write_bytes((CLUSTERS / "environment.sh").read_bytes())
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).touch()
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/bash\necho No module named pip >&2; exit 1\n")
    python.chmod(0o755)
    made = f'echo "#!/bin/bash" > {python}'
    done, asked = ran(script, python3=made)
    assert done.returncode == 0, done.stderr
    assert asked == ["python3 -m venv .venv"]
    assert (tmp_path / ".venv/cluster").exists()
