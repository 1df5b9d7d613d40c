"""The ASGI entrance: Django's pages and the participant's and console's sockets."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oversight.settings")
pages = get_asgi_application()  # sets Django up, so that the routes below can be imported

from django.conf import settings  # noqa: E402

from studies.checks.start import require_sound  # noqa: E402
from studies.routing import websocket_urlpatterns  # noqa: E402

require_sound(behind_tls=settings.BEHIND_TLS)

application = ProtocolTypeRouter(
    {"http": pages, "websocket": AllowedHostsOriginValidator(URLRouter(websocket_urlpatterns))}
)
