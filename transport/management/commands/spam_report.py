"""Tells how well spam is told from ham."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from accounts import people
from accounts.management.directory_command import DirectoryCommand
from accounts.models import Domain
from accounts.namespace import Conflict
from routing.spam.classifier import LEAST_LEARNED, THRESHOLD
from routing.spam.held_out import Known, judge_held_out
from routing.spam.measures import Judged, area_under_curve, ham_beside_caught
from routing.spam_models.learning import keys_of_content
from routing.spam_models.reporting import known_messages
from transport.management.mail_collection import MailCollection, add_collection
from transport.management.progress_bar import ProgressBar

RECALL = 0.95


class Command(DirectoryCommand):
    help = (
        "Tells how well mail is judged that was not learned: of the messages that a domain's model\n"
        "has learned, or of a collection, each fifth is judged by the other four, and the confusion\n"
        f"matrix is shown, at the domain's threshold ({THRESHOLD:g} points unless it has its own). Nothing is\n"
        "changed. Other signs than the classifier's (DNS, authentication, filters) are not counted."
    )
    examples = (
        "  manage.py spam_report\n"
        "  manage.py spam_report --domain example.org\n"
        "  manage.py spam_report --spam corpus/spam --ham corpus/ham"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_collection(parser)
        parser.add_argument("--domain", metavar="NAME", help="only the model of this domain")

    def change(self, *, spam: list[Path], ham: list[Path], domain: str | None, **_: Any) -> None:
        if spam or ham:
            if domain:
                raise Conflict("Give --domain, or --spam and --ham.")
            self._report("The collection", list(self._read(MailCollection(spam, ham))), THRESHOLD)
            return
        domains = [people.find_domain(domain)] if domain else list(Domain.objects.order_by("name"))
        if not domains:
            raise Conflict("There is no domain: add one first.")
        for each in domains:
            messages = known_messages(people.raw_connection(), each.pk)
            self._report(str(each), messages, float(each.spam_threshold))

    def _read(self, collection: MailCollection) -> Iterator[Known]:
        with ProgressBar(self.stderr, collection.octets) as bar:
            for number, (content, is_spam) in enumerate(collection, 1):
                bar.show(collection.octets_read, f"{number} messages")
                yield Known(sha256(content).digest(), keys_of_content(content), is_spam)

    def _report(self, whose: str, messages: list[Known], threshold: float) -> None:
        judged = judge_held_out(messages)
        spam = sum(message.is_spam for message in messages)
        self.say(f"{whose}: {spam} spam and {len(messages) - spam} ham")
        if len(judged) < len(messages) or not judged:
            self.say(f"  not enough to judge by: {LEAST_LEARNED} of each in every four fifths")
            return
        self.say(f"  each fifth judged by the other four, at {threshold:g} points:")
        self.say(f"  {'':<10}{'not spam':>10}{'spam':>10}")
        self._row("ham", [points for points, is_spam in judged if not is_spam], threshold)
        self._row("spam", [points for points, is_spam in judged if is_spam], threshold)
        self._measures(judged)

    def _row(self, name: str, points: list[float], threshold: float) -> None:
        above = sum(each >= threshold for each in points)
        share = 100 * above / len(points)
        self.say(f"  {name:<10}{len(points) - above:>10}{above:>10}   {share:5.1f} % into Spam")

    def _measures(self, judged: Judged) -> None:
        self.say(f"  area under the curve {area_under_curve(judged):.4f}")
        beside = 100 * ham_beside_caught(judged, RECALL)
        self.say(f"  with {RECALL:.0%} of the spam, {beside:.1f} % of the ham would be caught")
