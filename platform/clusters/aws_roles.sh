#!/bin/bash
# Makes what the nodes of a cluster on AWS may do, once for an account: two roles with an instance
# profile each, which cluster.yaml names. Called again it changes only what differs.
#
#   bash platform/clusters/aws_roles.sh [BUCKET...]
#
#   orrery-head     starts and ends instances, looks up machine images, and gives workers their role
#   orrery-worker   nothing but the buckets
#
# Both may read and write the named buckets, for datasets at s3://, and no other: called again with
# others, or with none, they may use those alone.
set -euo pipefail
trust='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
  "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}'

# allow ACTIONS RESOURCES [CONDITION]: a statement; both are lists in JSON
allow() { printf '{"Effect": "Allow", "Action": %s, "Resource": %s%s}' "$1" "$2" "${3:-}"; }

policy() {
    local IFS=,
    printf '{"Version": "2012-10-17", "Statement": [%s]}' "$*"
}

make_role() { # NAME
    aws iam get-role --role-name "$1" > /dev/null 2>&1 ||
        aws iam create-role --role-name "$1" --assume-role-policy-document "$trust" > /dev/null
    if ! aws iam get-instance-profile --instance-profile-name "$1" > /dev/null 2>&1; then
        aws iam create-instance-profile --instance-profile-name "$1" > /dev/null
    fi
    # which is empty too where an earlier call was cut off
    if [ "$(aws iam get-instance-profile --instance-profile-name "$1" \
        --query 'InstanceProfile.Roles[].RoleName' --output text)" != "$1" ]; then
        aws iam add-role-to-instance-profile --instance-profile-name "$1" --role-name "$1"
    fi
}

give() { # NAME STATEMENT...: these and no others
    local role=$1
    shift
    if [ $# -gt 0 ]; then
        aws iam put-role-policy --role-name "$role" --policy-name orrery --policy-document "$(policy "$@")"
    elif aws iam get-role-policy --role-name "$role" --policy-name orrery > /dev/null 2>&1; then
        aws iam delete-role-policy --role-name "$role" --policy-name orrery
    fi
}

statements=()
for bucket in "$@"; do
    statements+=("$(allow '["s3:ListBucket"]' "\"arn:aws:s3:::$bucket\"")")
    statements+=("$(allow '["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]' "\"arn:aws:s3:::$bucket/*\"")")
done
make_role orrery-worker
make_role orrery-head
worker=$(aws iam get-role --role-name orrery-worker --query Role.Arn --output text)
# For bash 3.2, as on a Mac, an empty list is an unset variable.
give orrery-worker ${statements[@]+"${statements[@]}"}
give orrery-head ${statements[@]+"${statements[@]}"} \
    "$(allow '["ec2:Describe*", "ec2:RunInstances", "ec2:StartInstances", "ec2:StopInstances",
        "ec2:TerminateInstances", "ec2:CreateTags", "ec2:DeleteTags"]' '"*"')" \
    "$(allow '["ssm:GetParameter", "ssm:GetParameters"]' '"arn:aws:ssm:*:*:parameter/aws/service/*"')" \
    "$(allow '["iam:PassRole"]' "\"$worker\"")" \
    "$(allow '["iam:CreateServiceLinkedRole"]' '"arn:aws:iam::*:role/aws-service-role/spot.amazonaws.com/*"')"
echo "orrery-head and orrery-worker are there; both may use ${*:-no bucket}"
