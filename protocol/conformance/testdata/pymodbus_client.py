"""A pymodbus client that does what each line of the standard input says, and answers with a line.

pymodbus_client.py tcp|rtu|ascii|rtu-tcp|ascii-tcp|udp|rtu-udp|tls PORT|PATH UNIT [FOLDER]

FOLDER has the certificates of tls.
"""

import json
import ssl
import sys

from pymodbus import FramerType
from pymodbus.client import ModbusSerialClient, ModbusTcpClient, ModbusTlsClient, ModbusUdpClient


def connect(mode, place, folder=None):
    framer = {"rtu": FramerType.RTU, "ascii": FramerType.ASCII}.get(mode.split("-")[0], FramerType.SOCKET)
    usual = {"timeout": 5, "retries": 0}
    if mode in ("rtu", "ascii"):
        return ModbusSerialClient(place, framer=framer, baudrate=115200, **usual)
    usual |= {"host": "127.0.0.1", "port": int(place)}
    if mode == "tls":
        context = ssl.create_default_context(cafile=folder + "/authority.pem")
        context.check_hostname = False  # pymodbus tells it no name
        context.load_cert_chain(folder + "/client.pem", folder + "/client.key")
        return ModbusTlsClient(sslctx=context, **usual)
    return (ModbusUdpClient if mode.endswith("udp") else ModbusTcpClient)(framer=framer, **usual)


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


def main(mode, place, unit, *folder):
    client = connect(mode, place, *folder)
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
