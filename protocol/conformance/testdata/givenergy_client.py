"""A givenergy-modbus client that does what each line of the standard input says, and answers with a line.

givenergy_client.py PORT UNIT
"""

import asyncio
import json
import logging
import sys

from givenergy_modbus.client.client import Client
from givenergy_modbus.pdu import read_registers, write_registers


def request(unit, function, addr, count, words):
    match function:
        case 3:
            return read_registers.ReadHoldingRegistersRequest(
                base_register=addr, register_count=count, device_address=unit
            )
        case 4:
            return read_registers.ReadInputRegistersRequest(
                base_register=addr, register_count=count, device_address=unit
            )
        case 6:
            return write_registers.WriteHoldingRegisterRequest(addr, words[0], device_address=unit)


class Refusals(logging.Handler):
    """The library says only in its log that the device has refused, and fails as if nothing had come."""

    last = None

    def emit(self, record):
        if record.getMessage().startswith("Received error response"):
            self.last = {"exception": 2}  # the frames have no code


async def answer(client, refusals, unit, asked):
    refusals.last = None
    try:
        reply = await client.send_request_and_await_response(request(unit, **asked), timeout=20, retries=0)
    except TimeoutError:
        if refusals.last is None:
            raise
        return refusals.last
    return {"words": reply.register_values} if asked["function"] <= 4 else {}


async def main(port, unit):
    refusals = Refusals()
    logging.getLogger().addHandler(refusals)
    client = Client("127.0.0.1", int(port), tx_message_wait=0, tx_jitter=0)
    await client.connect()
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        try:
            reply = await answer(client, refusals, int(unit), json.loads(line))
        except Exception as failure:  # whatever it is, it is the answer
            reply = {"error": repr(failure)}
        print(json.dumps(reply), flush=True)


asyncio.run(main(*sys.argv[1:]))
