"""What users teach about spam, and how often each token stood in it."""

from django.db import migrations, models

TABLES = r"""
-- A domain's model, or a mailbox's layer on it; `spam` and `ham` messages count in it.
CREATE TABLE routing_spam_model (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    domain_id bigint UNIQUE REFERENCES accounts_domain ON DELETE CASCADE,
    mailbox_id bigint UNIQUE REFERENCES accounts_mailbox ON DELETE CASCADE,
    spam integer NOT NULL DEFAULT 0,
    ham integer NOT NULL DEFAULT 0,
    trained_at timestamptz,
    CHECK (num_nonnulls(domain_id, mailbox_id) = 1)
);

-- In how many of its messages a token stands. No foreign key: a message has hundreds, and each check would cost more
-- than its row; a trigger deletes them with their model.
CREATE TABLE routing_spam_token (
    model_id bigint NOT NULL,
    key bigint NOT NULL,
    spam integer NOT NULL,
    ham integer NOT NULL,
    PRIMARY KEY (model_id, key)
) WITH (fillfactor = 85);

-- Each message that a model knows, with the tokens that it was counted with: the sum of these rows is what the counts
-- are. `is_spam` NULL: as many say spam as ham, and it is not counted. Of a mailbox's model, a row is the user's vote in
-- `domain_model_id`; of a domain's, `taught` is the administrator's.
CREATE TABLE routing_spam_learned (
    model_id bigint NOT NULL REFERENCES routing_spam_model ON DELETE CASCADE,
    sha256 bytea NOT NULL,
    is_spam boolean,
    keys bigint[] NOT NULL,
    taught boolean,
    domain_model_id bigint,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (model_id, sha256)
);
CREATE INDEX routing_spam_learned_votes ON routing_spam_learned (domain_model_id, sha256)
    WHERE domain_model_id IS NOT NULL;
CREATE INDEX routing_spam_learned_at ON routing_spam_learned (model_id, is_spam, at);

CREATE FUNCTION routing_forget_spam_tokens() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM routing_spam_token WHERE model_id = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER forget_spam_tokens AFTER DELETE ON routing_spam_model
    FOR EACH ROW EXECUTE FUNCTION routing_forget_spam_tokens();
"""

LESSONS = r"""
-- What a person's act is to teach, until it was learned. `lesson`: spam, ham, or answered, which is ham unless the user
-- has said otherwise.
CREATE TABLE routing_spam_lesson (
    mailbox_id bigint NOT NULL REFERENCES accounts_mailbox ON DELETE CASCADE,
    event_id bigint NOT NULL,
    lesson text NOT NULL,
    message_ids bigint[] NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mailbox_id, event_id)
);

-- \Junk or \Trash for the folder that has that use and for those below it, else ''.
CREATE FUNCTION routing_spam_place(owner bigint, folder bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT COALESCE((
        SELECT u.special_use FROM mail_folder f JOIN mail_folder u
            ON u.owner_id = f.owner_id AND u.special_use <> '' AND u.special_use IN ('\Junk', '\Trash')
            AND (u.id = f.id OR starts_with(f.name, u.name || '/'))
        WHERE f.owner_id = owner AND f.id = folder
        ORDER BY length(u.name) DESC LIMIT 1), '')
$$;

-- Written with the event, in the transaction of the IMAP command: the folder's use is what it is then.
CREATE FUNCTION routing_note_spam_lesson() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    target text := routing_spam_place(NEW.owner_id, COALESCE(NEW.target_folder_id, NEW.folder_id));
    source text := CASE WHEN NEW.target_folder_id IS NULL THEN ''
        ELSE routing_spam_place(NEW.owner_id, NEW.folder_id) END;
    taught text;
BEGIN
    IF NEW.kind <> 'flags' THEN
        taught := CASE
            WHEN target = '\Junk' AND source <> '\Junk' THEN 'spam'
            WHEN source = '\Junk' AND target = '' THEN 'ham' END;
    ELSE
        -- The last of the names for the two sides wins, as it does in the folder.
        SELECT n.lesson INTO taught
        FROM jsonb_array_elements_text(NEW.detail -> 'flags') WITH ORDINALITY AS flag (name, place)
        JOIN (VALUES ('$junk', 'spam'), ('junk', 'spam'), ('junkrecorded', 'spam'), ('$notjunk', 'ham'),
            ('nonjunk', 'ham'), ('notjunk', 'ham'), ('\answered', 'answered')) AS n (name, lesson)
            ON lower(flag.name) = n.name
        WHERE n.lesson <> 'answered' OR target = ''
        ORDER BY n.lesson = 'answered', flag.place DESC LIMIT 1;
    END IF;
    IF taught IS NOT NULL THEN
        INSERT INTO routing_spam_lesson (mailbox_id, event_id, lesson, message_ids)
        VALUES (NEW.owner_id, NEW.id, taught, NEW.message_ids);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER note_spam_lesson AFTER INSERT ON mail_event FOR EACH ROW WHEN (
    NEW.cause = 'imap' AND (
        NEW.kind IN ('arrival', 'copy', 'move')
        OR NEW.kind = 'flags' AND NEW.detail ->> 'mode' <> 'remove'
            AND NEW.detail ->> 'flags' ~* 'junk|answered'))
    EXECUTE FUNCTION routing_note_spam_lesson();
"""

NOTHING = """
DROP TRIGGER note_spam_lesson ON mail_event;
DROP FUNCTION routing_note_spam_lesson();
DROP FUNCTION routing_spam_place(bigint, bigint);
DROP TABLE routing_spam_lesson, routing_spam_learned, routing_spam_token, routing_spam_model;
DROP FUNCTION routing_forget_spam_tokens();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_unfiled"), ("routing", "0004_with_the_mailbox")]
    operations = [
        migrations.RunSQL(TABLES + LESSONS, NOTHING),
        migrations.CreateModel(
            name="SpamModel",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("spam", models.IntegerField(default=0, verbose_name="spam learned")),
                ("ham", models.IntegerField(default=0, verbose_name="ham learned")),
                ("trained_at", models.DateTimeField(null=True, verbose_name="last trained")),
                (
                    "domain",
                    models.OneToOneField(
                        null=True,
                        on_delete=models.DO_NOTHING,
                        related_name="spam_model",
                        to="accounts.domain",
                    ),
                ),
                (
                    "mailbox",
                    models.OneToOneField(
                        null=True,
                        on_delete=models.DO_NOTHING,
                        related_name="spam_model",
                        to="accounts.mailbox",
                    ),
                ),
            ],
            options={
                "verbose_name": "spam model",
                "ordering": ["mailbox__name", "domain__name"],
                "managed": False,
                "db_table": "routing_spam_model",
            },
        ),
    ]
