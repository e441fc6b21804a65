"""`python -m tandem_api.openapi` prints the OpenAPI document."""

import sys

from tandem.config import Settings
from tandem_api.app import create_app
from tandem_api.openapi import as_text

sys.stdout.write(as_text(create_app(Settings()).openapi()))
