using Agnes.Connectors.Events;
using Agnes.Protocol;

namespace Agnes.Connectors.Jira;

/// <summary>The six tables, with the columns and types of every part: spec/02 §7.5.</summary>
internal static class JiraTables
{
    public const int Issues = 0;
    public const int Comments = 1;
    public const int Attachments = 2;
    public const int Changelog = 3;
    public const int IssueLinks = 4;
    public const int RemoteLinks = 5;

    private const string Text = "VARCHAR";
    private const string Number = "BIGINT";
    private const string Moment = "TIMESTAMP WITH TIME ZONE";

    public static IReadOnlyList<EventTable> All { get; } =
    [
        Table("issues", """
            issue_key issue_id issue_url summary description issue_type status status_category priority resolution project_key project_name
            creator_email creator_name reporter_email reporter_name assignee_email assignee_name created_at:T updated_at:T resolved_at:T due_date labels
            attachment_count:I comment_count:I issuelink_count:I request_type request_status severity triage configuration_item participants organizations
            spam context custom_url slack_link technical_issue_category email_address satisfaction:I
            first_response_breached first_response_goal_millis:I first_response_elapsed_millis:I
            time_to_resolution_breached time_to_resolution_goal_millis:I time_to_resolution_elapsed_millis:I l3_team _synced_at _raw_file
            """),
        Table("comments", "comment_id issue_key author_email author_name body created_at:T updated_at:T update_author_email"),
        Table("attachments", """
            attachment_id issue_key filename local_path hierarchical_path size_bytes:I mime_type author_email created_at:T content_url thumbnail_url
            """),
        Table("changelog", "change_id issue_key author_email author_name field_name field_type from_value to_value changed_at:T"),
        Table("issuelinks", """
            issue_key link_id link_type direction linked_issue_key linked_issue_summary linked_issue_status linked_issue_priority
            """),
        Table("remote_links", "issue_key remote_link_id url title application_name application_type"),
    ];

    private static EventTable Table(string name, string columns) => new(
        name, $"Jira {name}",
        [.. columns.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries).Select(column => column.Split(':') switch
        {
            [var plain, "T"] => new TableColumn(plain, Moment),
            [var plain, "I"] => new TableColumn(plain, Number),
            var other => new TableColumn(other[0], Text),
        })]);
}
