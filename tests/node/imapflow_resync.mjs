// imapflow as a client that keeps a copy: node imapflow_resync.mjs PORT USER PASSWORD CA-FILE. Prints one line of JSON.
import { readFileSync } from "node:fs";
import { ImapFlow } from "imapflow";

const [port, user, pass, caFile] = process.argv.slice(2);
const connect = async (options) => {
  const client = new ImapFlow({
    host: "127.0.0.1", port: Number(port), secure: true, auth: { user, pass }, logger: false,
    tls: { ca: readFileSync(caFile), servername: "localhost" }, ...options,
  });
  await client.connect();
  return client;
};
const seen = {};
const client = await connect({ qresync: true });
const other = await connect({});
for (const subject of ["one", "two", "three"]) {
  await client.append("INBOX", `From: ann@example.org\r\nSubject: ${subject}\r\n\r\nbody`);
}
await client.mailboxOpen("INBOX");
seen.enabled = [...client.enabled].filter((word) => ["CONDSTORE", "QRESYNC"].includes(word)).sort();
const modseq = client.mailbox.highestModseq;
await other.mailboxOpen("INBOX");
await other.messageFlagsAdd("2", ["\\Flagged"], { uid: true });
seen.changed = [];
for await (const found of client.fetch("1:*", { flags: true }, { uid: true, changedSince: modseq })) {
  seen.changed.push([found.uid, [...found.flags]]);
}
const vanished = new Promise((resolve) => client.once("expunge", (event) => resolve(event.uid)));
await other.messageDelete("3", { uid: true });
await client.noop();
seen.vanished = [await vanished];
const flags = new Promise((resolve) => client.once("flags", (event) => resolve([event.uid, [...event.flags]])));
await other.messageFlagsAdd("1", ["$Answered2"], { uid: true });
await client.noop();
seen.flagsHeard = [await flags];
const quota = await client.getQuota("INBOX");
seen.quota = quota && quota.storage ? quota.storage.limit || 1 : 1;
await client.append("INBOX", "From: ann@example.org\r\nSubject: four\r\n\r\nbody");
seen.recent = await client.search({ modseq: client.mailbox.highestModseq, subject: "four" }, { uid: true });
seen.copied = [...(await client.messageCopy("4", "Archive", { uid: true })).uidMap];
const { content } = await client.download("4", "1", { uid: true });
let text = "";
for await (const chunk of content) text += chunk;
seen.sizes = { text: text.length, downloaded: text };
await client.mailboxSubscribe("Archive");
await client.mailboxClose();
await other.logout();
await client.logout();
console.log(JSON.stringify(seen));
