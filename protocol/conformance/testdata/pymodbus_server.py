"""A pymodbus server with the memory that the first line of the standard input gives, until that ends.

pymodbus_server.py tcp|rtu|rtu-tcp PORT|PATH
"""

import asyncio
import json
import sys

from pymodbus import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice


def registers(words):
    return [SimData(0, values=words, datatype=DataType.REGISTERS)]


def bits(words):
    return [SimData(0, values=[bool(w) for w in words], datatype=DataType.BITS)]


async def main(mode, place):
    memory = json.loads(sys.stdin.readline())
    device = SimDevice(
        memory["unit"],
        simdata=(
            bits(memory["coil"]), bits(memory["discrete"]), registers(memory["holding"]), registers(memory["input"]),
        ),
    )
    if mode == "rtu":
        server = ModbusSerialServer(device, framer=FramerType.RTU, port=place, baudrate=115200)
    else:
        framer = FramerType.SOCKET if mode == "tcp" else FramerType.RTU
        server = ModbusTcpServer(device, framer=framer, address=("127.0.0.1", int(place)))
    await server.serve_forever(background=True)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.shutdown()


asyncio.run(main(*sys.argv[1:]))
