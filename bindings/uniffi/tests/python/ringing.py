"""A telephone in a process of its own, for tests that kill it.

It reads its configuration, its key and who calls, says `ready`, waits for a line, lets the call ring,
says its verdict and goes on, as the call does, until it is killed or its input ends.
"""

import asyncio
import pickle
import sys

import ringtrue


async def main():
    config, key, caller = pickle.load(sys.stdin.buffer)
    endpoint = await ringtrue.Endpoint.open(config, signer=ringtrue.software_signer(key))
    print("ready", flush=True)
    sys.stdin.buffer.readline()
    call = await endpoint.ring(caller, config.numbers[0])
    verdict = call.verdict()
    print(verdict.verdict.name, *(reason.name for reason in verdict.reasons), flush=True)
    # What the library does until the call ends needs no thread of Python.
    sys.stdin.buffer.read()
    call.ended()
    await endpoint.shut_down()


asyncio.run(main())
