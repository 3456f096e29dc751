"""A pymodbus client that does what each line of the standard input says, and answers with a line.

pymodbus_client.py tcp|rtu|rtu-tcp PORT|PATH UNIT
"""

import json
import sys

from pymodbus import FramerType
from pymodbus.client import ModbusSerialClient, ModbusTcpClient


def connect(mode, place):
    if mode == "rtu":
        return ModbusSerialClient(place, baudrate=115200, timeout=5, retries=0)
    framer = FramerType.SOCKET if mode == "tcp" else FramerType.RTU
    return ModbusTcpClient("127.0.0.1", port=int(place), framer=framer, timeout=5, retries=0)


def call(client, unit, function, addr, count, words):
    bools = [bool(w) for w in words or []]
    match function:
        case 1:
            return client.read_coils(addr, count=count, device_id=unit)
        case 2:
            return client.read_discrete_inputs(addr, count=count, device_id=unit)
        case 3:
            return client.read_holding_registers(addr, count=count, device_id=unit)
        case 4:
            return client.read_input_registers(addr, count=count, device_id=unit)
        case 5:
            return client.write_coil(addr, bools[0], device_id=unit)
        case 6:
            return client.write_register(addr, words[0], device_id=unit)
        case 15:
            return client.write_coils(addr, bools, device_id=unit)
        case 16:
            return client.write_registers(addr, words, device_id=unit)


def answer(client, unit, request):
    reply = call(client, unit, **request)
    if reply.isError():
        return {"exception": reply.exception_code}
    if request["function"] <= 2:
        return {"words": [int(b) for b in reply.bits[: request["count"]]]}
    if request["function"] <= 4:
        return {"words": reply.registers}
    return {}


def main(mode, place, unit):
    client = connect(mode, place)
    if not client.connect():
        raise SystemExit("cannot connect to " + place)
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            reply = answer(client, int(unit), json.loads(line))
        except Exception as failure:  # whatever it is, it is the answer
            reply = {"error": repr(failure)}
        print(json.dumps(reply), flush=True)


main(*sys.argv[1:])
