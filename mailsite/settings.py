"""Django settings, read from the environment. docs/configuration.md lists every name."""

from mailsite.configuration import read_configuration

CONFIGURATION = read_configuration()

SECRET_KEY = CONFIGURATION.secret_key
DEBUG = False
ALLOWED_HOSTS = ["*"]  # the admin listens on BIND_ADDRESS; a proxy in front of it checks the name
ROOT_URLCONF = "mailsite.urls"
WSGI_APPLICATION = "mailsite.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.admin_login.AdminBackend"]
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # (domain, username) is unique, and AdminBackend asks for both
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

DATABASES = {"default": CONFIGURATION.database}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = CONFIGURATION.data_dir / "static"

UNFOLD = {"SITE_TITLE": "Mailsite", "SITE_HEADER": "Mailsite", "SITE_SYMBOL": "mail"}

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
OUTBOUND_SMTP_PORT = CONFIGURATION.outbound_smtp_port
CELERY_BROKER_URL = CONFIGURATION.celery_broker_url
ENCRYPTION_KEYS = CONFIGURATION.encryption_keys
BLOB_STORAGE_URL = CONFIGURATION.blob_storage_url
MAX_MESSAGE_SIZE = CONFIGURATION.max_message_size
