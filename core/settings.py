"""Rule: `manage.py runserver` on a fresh machine works with what stands here; see README for each variable."""

from __future__ import annotations

from pathlib import Path

from core import environment as env

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("DATA", str(BASE_DIR / "data")))
DATA_DIR.mkdir(parents=True, exist_ok=True)

DEBUG = env.truth("DEBUG", False)
SECRET_KEY = env.secret_key(DATA_DIR)
ALLOWED_HOSTS = env.words("HOSTS", "localhost,127.0.0.1,[::1]")
# Pages elsewhere that may open our websocket, as `https://host:port`; our own always may.
PACKETWALK_ORIGINS = env.words("ORIGINS", "")
# Labs nobody has used for so long are deleted.
PACKETWALK_LAB_DAYS = env.number("LAB_DAYS", 30)
# New labs that one address may make in an hour.
PACKETWALK_NEW_LABS_PER_HOUR = env.number("NEW_LABS_PER_HOUR", 120)
# One lab's commands; from there on it can be looked at, and forked.
PACKETWALK_MOST_COMMANDS = env.number("MOST_COMMANDS", 5000)
# Does a proxy in front of us say in X-Forwarded-For who asks?
PACKETWALK_BEHIND_PROXY = env.truth("BEHIND_PROXY", False)
PACKETWALK_FIRST_LAB = BASE_DIR / "shop.yaml"
PACKETWALK_DIST = Path(env.text("DIST", str(BASE_DIR / "static" / "dist")))

INSTALLED_APPS = [
    "daphne",  # before staticfiles: its runserver speaks websockets
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "ninja",  # its own docs page, from its own files
    "visualizer",
]

MIDDLEWARE = [
    "core.headers.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "core.urls"
ASGI_APPLICATION = "core.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": env.text("DATABASE", str(DATA_DIR / "packetwalk.sqlite3")),
        "OPTIONS": {
            # WAL: who reads does not wait for who writes. NORMAL loses nothing when the process is killed.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=10000;",
            "transaction_mode": "IMMEDIATE",
        },
        "TEST": {"NAME": env.text("TEST_DATABASE", str(DATA_DIR / "test.sqlite3"))},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

HTTPS = env.truth("HTTPS", False)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"  # a lab's link is its key: no other site learns it
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PACKETWALK_BEHIND_PROXY else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
DATA_UPLOAD_MAX_MEMORY_SIZE = 9 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 100

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"links": {"()": "core.secrecy.WithoutLinks"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["links"]}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "WARNING")},
}
