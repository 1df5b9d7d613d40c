"""`python -m tests.make_small_study '{"study__slots": 3}'`: make and launch the small study in a server's database."""

import json
import sys

import django

if __name__ == "__main__":
    django.setup()
    from django.utils import timezone

    from tests.small_study import make_study

    study = make_study(now=timezone.now(), **json.loads(sys.argv[1]))
    print(json.dumps({"id": study.pk, "name": study.name, "join": f"/join/{study.join_code}/"}))
