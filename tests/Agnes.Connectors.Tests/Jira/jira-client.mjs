// What the platform reads of Jira, read by jira.js, a client that nobody here wrote. It checks every answer against its own description
// of the API; run with AUDIT_SCHEMAS=true it also notes what the description does not know. Prints one JSON object; the test says what
// must be in it. Arguments: the site, its account and token; the gateway, its account and token; issues by what they have: many comments,
// an attachment, links to other systems, a service level, worklogs.
import { createCloudClient, isAuthError, isForbiddenError, isNotFoundError, isRateLimitError } from 'jira.js';

const [host, email, apiToken, gateway, serviceEmail, serviceToken, talkative, attached, linked, levelled, logged] = process.argv.slice(2);
const client = createCloudClient({ host, auth: { type: 'basic', email, apiToken }, onSchemaMismatch: 'throw' });
const serviceAuth = { type: 'basic', email: serviceEmail, apiToken: serviceToken };
const service = createCloudClient({ host: gateway, auth: serviceAuth, onSchemaMismatch: 'throw' });
const stranger = createCloudClient({ host, auth: { type: 'basic', email, apiToken: 'wrong' } });
const seen = {};

async function failing(work) {
  try {
    await work();
    return { kind: 'none' };
  } catch (error) {
    const kinds = { auth: isAuthError, forbidden: isForbiddenError, notFound: isNotFoundError, rateLimit: isRateLimitError };
    const kind = Object.keys(kinds).find((name) => kinds[name](error)) ?? error.name;
    return { kind, status: error.status, messages: error.body?.errorMessages ?? error.body, retryAfterMs: error.retryAfterMs };
  }
}

const search = (parameters) => client.issueSearch.searchAndReconsileIssuesUsingJqlPost(parameters);
const jql = 'project = SUPPORT AND created >= "2024-01-01" ORDER BY created ASC';
const pages = [];
let nextPageToken;
do {
  const page = await search({ jql, maxResults: 150, nextPageToken });
  pages.push({ size: page.issues.length, hasFields: page.issues.some((issue) => issue.fields || issue.key), first: page.issues[0].id,
    isLast: page.isLast, hasToken: 'nextPageToken' in page });
  nextPageToken = page.nextPageToken;
} while (nextPageToken);
seen.pages = pages;
const some = { jql, maxResults: 2, fields: ['summary', 'status'], expand: 'changelog' };
const withFields = await client.issueSearch.searchAndReconsileIssuesUsingJql(some);
seen.searchFields = withFields.issues.map((issue) => [issue.key, Object.keys(issue.fields).sort(), issue.changelog.histories.length > 0]);
seen.searchKeys = (await search({ jql, maxResults: 2, fields: ['key'] })).issues.map((issue) => issue.key);

seen.count = await client.issueSearch.countIssues({ jql });
const bulk = await client.issues.bulkFetchIssues({ issueIdsOrKeys: [attached, talkative, 'SUPPORT-999999'], expand: ['changelog'] });
seen.bulk = bulk.issues.map((issue) => [issue.key, issue.changelog.histories.length, 'comment' in issue.fields]);

const issue = await client.issues.getIssue({ issueIdOrKey: talkative, expand: 'renderedFields,changelog', fields: ['*all'] });
seen.window = [issue.fields.comment.comments.length, issue.fields.comment.total];
seen.rendered = issue.renderedFields.comment.comments[0].body.startsWith('<p>');
seen.changelogWindow = [issue.changelog.histories.length, issue.changelog.total];
seen.newestFirst = issue.changelog.histories[0].created >= issue.changelog.histories.at(-1).created;
const comments = [];
for (let total = 1; comments.length < total;) {
  const page = await client.issueComments.getComments({ issueIdOrKey: talkative, startAt: comments.length, maxResults: 100 });
  comments.push(...page.comments);
  total = page.total;
}
const ids = new Set(comments.map((comment) => comment.id));
seen.comments = [comments.length, ids.size, comments.every((comment) => comment.body.type === 'doc')];
const changes = [];
for (let isLast = false; !isLast;) {
  const page = await client.issues.getChangeLogs({ issueIdOrKey: talkative, startAt: changes.length, maxResults: 3 });
  changes.push(...page.values);
  isLast = page.isLast;
}
seen.changes = [changes.length, changes[0].created <= changes.at(-1).created];
const worklogs = await client.issueWorklogs.getIssueWorklog({ issueIdOrKey: logged });
const seconds = worklogs.worklogs.reduce((sum, one) => sum + one.timeSpentSeconds, 0);
seen.worklogs = [worklogs.total, worklogs.worklogs.length, seconds];
seen.timeSpent = (await client.issues.getIssue({ issueIdOrKey: logged, fields: ['timespent'] })).fields;
seen.remoteLinks = (await client.issueRemoteLinks.getRemoteIssueLinks({ issueIdOrKey: linked }))
  .map((link) => [link.object.url, link.object.title, link.application.type]);

const withAttachment = await client.issues.getIssue({ issueIdOrKey: attached, fields: ['attachment'] });
const [attachment] = withAttachment.fields.attachment;
const metadata = await client.issueAttachments.getAttachment({ id: attachment.id });
const content = await client.issueAttachments.getAttachmentContent({ id: attachment.id });
seen.attachment = [metadata.id === Number(attachment.id), metadata.size === content.byteLength, new TextDecoder().decode(content)];

const levels = { issueIdOrKey: levelled, fields: ['customfield_10328', 'customfield_10161'] };
const level = async (from) => (await from.issues.getIssue(levels)).fields;
seen.levels = [await level(client), await level(service)];
seen.me = [(await client.myself.getCurrentUser()).emailAddress, (await service.myself.getCurrentUser()).accountType];
seen.deployment = (await client.serverInfo.getServerInfo()).deploymentType;
seen.fields = (await client.issueFields.getFields()).filter((field) => field.custom).length;
seen.projects = (await client.projects.searchProjects()).values.map((project) => [project.key, project.projectTypeKey]);

seen.missing = await failing(() => client.issues.getIssue({ issueIdOrKey: 'SUPPORT-999999' }));
seen.stranger = await failing(() => stranger.issues.getIssue({ issueIdOrKey: talkative }));
seen.malformed = await failing(() => search({ jql: 'project SUPPORT' }));
seen.unbounded = await failing(() => search({ jql: 'ORDER BY created ASC' }));
seen.badToken = await failing(() => search({ jql, nextPageToken: 'eyJub3QiOiJvdXJzIn0' }));
seen.forbidden = await failing(() => client.issueWorklogs.getIssueWorklog({ issueIdOrKey: talkative }));
seen.limited = await failing(() => client.issueRemoteLinks.getRemoteIssueLinks({ issueIdOrKey: talkative }));
seen.broken = await failing(() => client.issueComments.getComments({ issueIdOrKey: talkative }));
seen.drift = globalThis[Symbol.for('apis-code-gen.schemaAudit')] ?? [];
console.log(JSON.stringify(seen));
