"""The goodwe library's UDP client that does what each line of the standard input says, and answers with a line.

goodwe_client.py PORT UNIT
"""

import asyncio
import json
import struct
import sys

from goodwe.exceptions import RequestRejectedException
from goodwe.protocol import UdpInverterProtocol


def command(client, function, addr, count, words):
    match function:
        case 3:
            return client.read_command(addr, count)
        case 6:
            return client.write_command(addr, words[0])
        case 16:
            return client.write_multi_command(addr, struct.pack(f">{count}H", *words))


async def answer(client, asked):
    try:
        reply = await command(client, **asked).execute(client)
    except RequestRejectedException as refusal:
        return {"exception": 2} if refusal.message == "ILLEGAL DATA ADDRESS" else {"error": refusal.message}
    if asked["function"] > 4:
        return {}
    return {"words": list(struct.unpack(f">{asked['count']}H", reply.response_data()))}


async def main(port, unit):
    client = UdpInverterProtocol("127.0.0.1", int(port), int(unit), timeout=20, retries=0)
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        try:
            reply = await answer(client, json.loads(line))
        except Exception as failure:  # whatever it is, it is the answer
            reply = {"error": repr(failure)}
        print(json.dumps(reply), flush=True)


asyncio.run(main(*sys.argv[1:]))
