"""The admin's pages of what is decided about mail. Importing a module registers its pages."""

from routing.admin import address_lists, global_scripts, scripts, spam_models  # noqa: F401
