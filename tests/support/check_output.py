"""check_output.py SCHEMA COMMAND FILE: whether FILE is what the schema says that COMMAND prints with --json."""
import json
import sys

import fastjsonschema

schema_file, command, file = sys.argv[1:]
with open(schema_file) as f:
    definitions = json.load(f)["$defs"]
if command not in definitions:
    raise SystemExit(f"{schema_file} has no definition of '{command}'")
check = fastjsonschema.compile({"$schema": "http://json-schema.org/draft-07/schema#", "$ref": f"#/$defs/{command}", "$defs": definitions})
with open(file) as f:
    output = json.load(f)
try:
    check(output)
except fastjsonschema.JsonSchemaException as e:
    raise SystemExit(f"{command}: {e}")
