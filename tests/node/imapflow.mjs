// Drives a server with imapflow: node imapflow.mjs PORT USER PASSWORD CA-FILE. Prints what it saw as one line of JSON.
import { readFileSync } from "node:fs";
import { ImapFlow } from "imapflow";

const [port, user, pass, caFile] = process.argv.slice(2);
const client = new ImapFlow({
  host: "127.0.0.1", port: Number(port), secure: true, auth: { user, pass }, logger: false,
  tls: { ca: readFileSync(caFile), servername: "localhost" },
});
const seen = {};
await client.connect();
seen.capabilities = [...client.capabilities.keys()];
seen.folders = (await client.list()).map((folder) => [folder.path, folder.specialUse ?? ""]);
await client.mailboxCreate("Größe & mehr/Ünter");
const message = "From: Änn <ann@example.org>\r\nSubject: hello\r\n\r\nbody\r\n";
const first = await client.append("INBOX", message, ["\\Seen"], new Date("2024-05-06T07:08:09Z"));
await client.append("INBOX", message.replace("hello", "second"));
seen.appended = first.uid;
const lock = await client.getMailboxLock("INBOX");
try {
  seen.exists = client.mailbox.exists;
  seen.messages = [];
  for await (const found of client.fetch("1:*", {
    uid: true, flags: true, envelope: true, bodyStructure: true, internalDate: true, size: true, source: true,
  })) {
    seen.messages.push([
      found.uid, [...found.flags], found.envelope.subject, found.bodyStructure.type,
      found.internalDate.toISOString(), found.size, found.source.toString("latin1").length,
    ]);
  }
  seen.unseen = await client.search({ seen: false }, { uid: true });
  await client.messageFlagsAdd("2", ["\\Flagged", "$Label1"]);
  seen.flags = [...(await client.fetchOne("2", { flags: true })).flags].sort();
  const moved = await client.messageMove("1", "Größe & mehr/Ünter");
  seen.moved = [...moved.uidMap];
  seen.status = await client.status("Größe & mehr/Ünter", { messages: true, uidNext: true });
  await client.messageDelete("1:*");
  seen.left = client.mailbox.exists;
  const heard = new Promise((resolve) => client.once("exists", (data) => resolve(data.count)));
  const other = new ImapFlow({
    host: "127.0.0.1", port: Number(port), secure: true, auth: { user, pass }, logger: false,
    tls: { ca: readFileSync(caFile), servername: "localhost" },
  });
  await other.connect();
  client.idle();
  await other.append("INBOX", message);
  seen.heard = await heard;
  await other.logout();
} finally {
  lock.release();
}
await client.mailboxRename("Größe & mehr/Ünter", "Später");
await client.mailboxDelete("Später");
await client.logout();
console.log(JSON.stringify(seen));
