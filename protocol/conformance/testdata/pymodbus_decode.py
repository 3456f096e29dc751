"""What pymodbus makes of request PDUs and of registers: a line of JSON in, a line out.

{"pdu": HEX}                                    -> {"reply": HEX}, of a server that holds 65536 zeros of each kind;
                                                   empty if it cannot decode the request
{"decode": TYPE, "order": O, "words": [...]}    -> {"value": ...}
{"encode": TYPE, "order": O, "value": ...}      -> {"words": [...]}
{...} that it refuses                           -> {"error": TEXT}
"""

import asyncio
import json
import math
import struct
import sys

from pymodbus.client import ModbusTcpClient
from pymodbus.pdu import DecodePDU
from pymodbus.simulator import DataType, SimData, SimDevice
from pymodbus.simulator.simcore import SimCore

registers = [SimData(0, count=65536, values=0, datatype=DataType.REGISTERS)]
bits = [SimData(0, values=[False] * 65536, datatype=DataType.BITS)]
core = SimCore(SimDevice(1, simdata=(bits, bits, registers, registers)))
decoder = DecodePDU(True)
convert = ModbusTcpClient


async def reply(pdu):
    request = decoder.decode(pdu)
    if request is None:
        return ""
    answer = await request.datastore_update(core, 1)
    return (bytes([answer.function_code]) + answer.encode()).hex()


async def answer(asked):
    if "pdu" in asked:
        return {"reply": await reply(bytes.fromhex(asked["pdu"]))}
    kind = convert.DATATYPE[asked.get("decode") or asked["encode"]]
    if "encode" in asked:
        return {"words": convert.convert_to_registers(asked["value"], kind, word_order=asked["order"])}
    value = convert.convert_from_registers(asked["words"], kind, word_order=asked["order"])
    if isinstance(value, float) and not math.isfinite(value):
        value = repr(value)
    return {"value": value}


async def main():
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            said = await answer(json.loads(line))
        except (ValueError, KeyError, TypeError, IndexError, struct.error) as refusal:
            said = {"error": repr(refusal)}
        print(json.dumps(said), flush=True)


asyncio.run(main())
