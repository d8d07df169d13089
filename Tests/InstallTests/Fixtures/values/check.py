"""Holds values (JSON on standard input), laid over a chart's own, against a schema. Arguments: schema, values.yaml."""
import json
import sys

import jsonschema
import yaml


def merged(base, over):
    """As Helm lays values over a chart's: maps deep, lists replaced, null deletes."""
    result = dict(base)
    for key, value in over.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


with open(sys.argv[1]) as file:
    schema = json.load(file)
with open(sys.argv[2]) as file:
    chart = yaml.safe_load(file)
for fault in jsonschema.Draft7Validator(schema).iter_errors(merged(chart, json.load(sys.stdin))):
    print(".".join(map(str, fault.absolute_path)) + ":", fault.message)
