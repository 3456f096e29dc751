"""A pymodbus server with the memory that the first line of the standard input gives, until that ends.

pymodbus_server.py tcp|rtu|ascii|rtu-tcp|ascii-tcp|udp|rtu-udp|tls PORT|PATH [FOLDER]

FOLDER has the certificates of tls.
"""

import asyncio
import json
import ssl
import sys

from pymodbus import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer, ModbusTlsServer, ModbusUdpServer
from pymodbus.simulator import DataType, SimData, SimDevice


def registers(words):
    return [SimData(0, values=words, datatype=DataType.REGISTERS)]


def bits(words):
    return [SimData(0, values=[bool(w) for w in words], datatype=DataType.BITS)]


def serve(device, mode, place, folder=None):
    framer = {"rtu": FramerType.RTU, "ascii": FramerType.ASCII}.get(mode.split("-")[0], FramerType.SOCKET)
    if mode in ("rtu", "ascii"):
        return ModbusSerialServer(device, framer=framer, port=place, baudrate=115200)
    address = ("127.0.0.1", int(place))
    if mode == "tls":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=folder + "/authority.pem")
        context.load_cert_chain(folder + "/device.pem", folder + "/device.key")
        context.verify_mode = ssl.CERT_REQUIRED
        return ModbusTlsServer(device, sslctx=context, address=address)
    return (ModbusUdpServer if mode.endswith("udp") else ModbusTcpServer)(device, framer=framer, address=address)


async def main(mode, place, *folder):
    memory = json.loads(sys.stdin.readline())
    device = SimDevice(
        memory["unit"],
        simdata=(
            bits(memory["coil"]), bits(memory["discrete"]), registers(memory["holding"]), registers(memory["input"]),
        ),
    )
    server = serve(device, mode, place, *folder)
    await server.serve_forever(background=True)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.shutdown()


asyncio.run(main(*sys.argv[1:]))
