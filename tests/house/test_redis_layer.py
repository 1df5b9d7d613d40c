"""Idle sockets live on the Redis layer: redis-py's own 5-second timeout would cut them (STACK: channels_redis#422)."""

import asyncio
import os
import subprocess
import sys

import pytest
from channels_redis.core import RedisChannelLayer

from tests import services


@pytest.mark.slow
async def test_a_receive_that_waits_longer_than_redis_py_likes_still_gets_its_message() -> None:
    try:
        url = services.redis_url()
    except services.Missing as why:
        services.skip_or_fail("redis", why)
    layer = RedisChannelLayer(hosts=[{"address": url, "socket_timeout": None}], capacity=1000)
    channel = await layer.new_channel()
    waiting = asyncio.create_task(layer.receive(channel))
    await asyncio.sleep(12)
    assert not waiting.done()
    await layer.send(channel, {"type": "late"})
    assert (await asyncio.wait_for(waiting, 5))["type"] == "late"
    await layer.close_pools()


def test_the_settings_switch_redis_pys_timeout_off() -> None:
    code = "from oversight import settings as s; print(s.CHANNEL_LAYERS['default']['CONFIG']['hosts'][0])"
    env = os.environ | {"REDIS_URL": "redis://127.0.0.1:6379/15"}
    said = subprocess.check_output([sys.executable, "-c", code], env=env, text=True, timeout=60)
    assert "'socket_timeout': None" in said
