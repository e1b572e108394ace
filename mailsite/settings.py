"""Django settings, read from the environment. docs/configuration.md lists every name."""

import sys

from mailsite.configuration import ConfigurationError, read_configuration
from mailsite.logs import LOGGING as LOGGING

try:
    CONFIGURATION = read_configuration(may_make_secrets=sys.argv[1:2] == ["serve"])
except ConfigurationError as error:
    sys.exit(f"mailsite: {error}")

SECRET_KEY = CONFIGURATION.secret_key
DEBUG = False
ALLOWED_HOSTS = ["*"]  # the admin listens on BIND_ADDRESS; a proxy in front of it checks the name
CSRF_TRUSTED_ORIGINS = [
    f"https://{CONFIGURATION.mail_hostname}"
]  # that proxy speaks TLS, we do not
ROOT_URLCONF = "mailsite.urls"
WSGI_APPLICATION = "mailsite.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.admin_login.AdminBackend"]
# (domain, username) is unique, and AdminBackend asks for both.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "admin:login"

INSTALLED_APPS = [
    "mailsite",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.inlines",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "accounts",
    "routing",
    "transport",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

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
        **CONFIGURATION.database,
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
        # Services run on Django's connection too, and ask for binary results, which need this.
        "OPTIONS": {**CONFIGURATION.database.get("OPTIONS", {}), "server_side_binding": True},
    }
}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = None  # nothing is collected: WhiteNoise serves the packages' own files
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

UNFOLD = {
    "SITE_TITLE": "Mailsite",
    "SITE_HEADER": "Mailsite",
    "SITE_SYMBOL": "mail",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "/static/mailsite/icon.svg"}
    ],
    "DASHBOARD_CALLBACK": "mailsite.admin.dashboard",
    "SIDEBAR": {"show_search": True, "navigation": "mailsite.admin.navigation"},
    "LOGIN": {"form": "mailsite.login_form.LoginForm"},
}

# What the three apps read. They know these names and nothing of the environment.
MAIL_HOSTNAME = CONFIGURATION.mail_hostname
BIND_ADDRESSES = CONFIGURATION.bind_addresses
DATA_DIR = CONFIGURATION.data_dir
SMTP_PORT = CONFIGURATION.smtp_port
SUBMISSION_PORT = CONFIGURATION.submission_port
SUBMISSIONS_PORT = CONFIGURATION.submissions_port
IMAPS_PORT = CONFIGURATION.imaps_port
SIEVE_PORT = CONFIGURATION.sieve_port
HTTP_PORT = CONFIGURATION.http_port
TLS_CERT_FILE = CONFIGURATION.tls_cert_file
TLS_KEY_FILE = CONFIGURATION.tls_key_file
DNS_NAMESERVERS = CONFIGURATION.dns_nameservers
DNS_VALIDATES = CONFIGURATION.dns_validates
OUTBOUND_SMTP_PORT = CONFIGURATION.outbound_smtp_port
ENCRYPTION_KEYS = CONFIGURATION.encryption_keys
BLOB_STORAGE_URL = CONFIGURATION.blob_storage_url
MAX_MESSAGE_SIZE = CONFIGURATION.max_message_size
DMARC_REPORTS_FROM = CONFIGURATION.dmarc_reports_from
SENDING_LIMITS = CONFIGURATION.sending_limits
RETRY_DELAYS = CONFIGURATION.retry_delays
RETRY_LIFETIME = CONFIGURATION.retry_lifetime
DELAY_NOTICE_AFTER = CONFIGURATION.delay_notice_after

# Celery. The rows of the queue are the truth and a task is a wake-up: no result is kept, and what a killed worker
# held is delivered again.
CELERY_BROKER_URL = CONFIGURATION.celery_broker_url
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
    "visibility_timeout": 600,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BEAT_SCHEDULE_FILENAME = str(CONFIGURATION.data_dir / "beat-schedule")
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "wake what is due": {
        "task": "transport.sweep",
        "schedule": 10.0,
        "options": {"expires": 3600},  # by the worker's clock, which may differ from beat's
    },
    "run the scripts that follow IMAP commands": {
        "task": "transport.follow_imap_events",
        "schedule": 5.0,
        "options": {"expires": 60},
    },
    "learn what users taught about spam": {
        "task": "transport.learn_spam",
        "schedule": 5.0,
        "options": {"expires": 60},
    },
    "warn users whose mailboxes are nearly full": {
        "task": "transport.warn_of_quotas",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "tell who has reached a limit of sending": {
        "task": "transport.tell_of_limits",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "delete what was sent": {
        "task": "transport.prune",
        "schedule": 600.0,
        "options": {"expires": 590},
    },
    "look whether keys are in DNS": {
        "task": "transport.check_keys",
        "schedule": 600.0,
        "options": {"expires": 590},
    },
    "refresh the policies of MTA-STS": {
        "task": "transport.refresh_sts_policies",
        "schedule": 3600.0,  # each policy once a day
        "options": {"expires": 3500},
    },
    "tell domains what DMARC said": {
        "task": "transport.send_dmarc_reports",
        "schedule": 7200.0,  # each day's is sent once; what trouble with DNS held back is tried again
        "options": {"expires": 7000},
    },
    "let go of what nobody needs": {
        "task": "transport.sweep_store",
        "schedule": 86400.0,
        "options": {"expires": 86000},
    },
}
