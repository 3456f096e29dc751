"""A pysolarmanv5 client that does what each line of the standard input says, and answers with a line.

pysolarmanv5_client.py PORT SERIAL UNIT

A request with "times" is carried out so often, and answered with the seconds that it took.
"""

import json
import sys
import time

from pysolarmanv5 import PySolarmanV5
from umodbus.exceptions import ModbusError


def call(client, function, addr, count, words):
    match function:
        case 1:
            return client.read_coils(addr, count)
        case 2:
            return client.read_discrete_inputs(addr, count)
        case 3:
            return client.read_holding_registers(addr, count)
        case 4:
            return client.read_input_registers(addr, count)
        case 5:
            return client.write_single_coil(addr, words[0])
        case 6:
            return client.write_holding_register(addr, words[0])
        case 15:
            return client.write_multiple_coils(addr, words)
        case 16:
            return client.write_multiple_holding_registers(addr, words)


def answer(client, request):
    times = request.pop("times", 0)
    if times:
        began = time.monotonic()
        for _ in range(times):
            call(client, **request)
        return {"seconds": time.monotonic() - began}
    try:
        words = call(client, **request)
    except ModbusError as refusal:
        return {"exception": refusal.error_code}
    return {"words": words} if request["function"] <= 4 else {}


def main(port, serial, unit):
    client = PySolarmanV5("127.0.0.1", int(serial), port=int(port), mb_slave_id=int(unit), socket_timeout=20)
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            reply = answer(client, json.loads(line))
        except Exception as failure:  # whatever it is, it is the answer
            reply = {"error": repr(failure)}
        print(json.dumps(reply), flush=True)


main(*sys.argv[1:])
