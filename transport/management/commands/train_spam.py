"""Starts the models that judge mail from a collection of spam and ham."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from accounts import people
from accounts.management.directory_command import DirectoryCommand
from accounts.models import Domain
from accounts.namespace import Conflict
from routing.spam.classifier import LEAST_LEARNED
from routing.spam_models.learning import Learned, learn
from transport.management.mail_collection import MailCollection, add_collection
from transport.management.progress_bar import ProgressBar


class Command(DirectoryCommand):
    help = (
        "Teaches the models of a domain, or of all, what is spam and what is not, from directories of\n"
        "messages and mbox files. A message counts once, however often it is taught; taught as the\n"
        "other, it counts as that. Stopped, it keeps what was learned and is run again for the rest.\n"
        f"A domain's model judges once it knows {LEAST_LEARNED} messages of each."
    )
    examples = (
        "  manage.py train_spam --spam corpus/spam --ham corpus/ham\n"
        "  manage.py train_spam --spam junk.mbox --ham inbox.mbox --ham sent.mbox --domain example.org"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_collection(parser)
        parser.add_argument("--domain", metavar="NAME", help="only the model of this domain")

    def change(self, *, spam: list[Path], ham: list[Path], domain: str | None, **_: Any) -> None:
        if not spam and not ham:
            raise Conflict("Give --spam, --ham, or both.")
        domains = [people.find_domain(domain)] if domain else list(Domain.objects.order_by("name"))
        if not domains:
            raise Conflict("There is no domain: add one first.")
        for each in domains:
            self._teach(each, MailCollection(spam, ham))

    def _teach(self, domain: Domain, collection: MailCollection) -> None:
        learned = Learned(0, 0)
        with ProgressBar(self.stderr, collection.octets) as bar:
            for learned in learn(people.raw_connection(), domain.pk, collection):
                bar.show(collection.octets_read, f"{domain}: {learned.messages} messages")
        news = "1 is new" if learned.news == 1 else f"{learned.news} are new"
        self.say(f"{domain}: {learned.messages} messages read; {news}.")
