using Telemetry.Gateway.Answers;
using Telemetry.Gateway.Http;
using Telemetry.Storage.Queries;

namespace Telemetry.Gateway.Endpoints;

/// <summary>Records, newest first, page by page.</summary>
internal static class RecordRoutes
{
    /// <summary>Pages that begin further back are refused: counting rows off is slow, a cursor is not.</summary>
    public const int RowsDeepMax = 100_000;

    private static readonly NumberParameter Page = new("page", $"The page, from 1. Only the first {RowsDeepMax:N0} records can be reached by page; a cursor goes on from there. Not together with cursor.", 1, 100_000, 1)
    {
        Example = 1,
    };

    private static readonly NumberParameter PageSize = new("page_size", "The most records in an answer.", 1, 1000, 100) { Example = 100 };

    private static readonly TextParameter Cursor = new("cursor", "The next_cursor of the answer before, with the same host_id, gpu_id, start_time and end_time. Records that arrive meanwhile do not shift the pages.")
    {
        Example = "AfiR0x-YAQAAOTAAAAAAAACalAYAAAAAAEq2rUkVRY2c",
    };

    /// <summary>GET /api/v1/telemetry.</summary>
    public static readonly ApiRoute<RecordsAnswer> Records = new()
    {
        Path = "/api/v1/telemetry",
        OperationId = "listTelemetry",
        Tag = Tags.Telemetry,
        Summary = "Lists records, newest first",
        Description = "Records of all GPUs, or of one host or GPU, in a range of time. To read many, follow `next_cursor` (or the `Link` header): it neither repeats nor leaves out a record while new ones arrive.",
        Parameters = [Filters.HostId, Filters.GpuId, TimeWindow.Start, TimeWindow.End, Page, PageSize, Cursor, Filters.Metrics],
        MayBeUnknown = true,
        Paged = true,
        Answer = ListAsync,
        Example = new RecordsAnswer
        {
            Data = [Examples.Record],
            Pagination = new Pagination
            {
                Page = 1,
                PageSize = 100,
                Total = 431_250,
                TotalPages = 4_313,
                HasNext = true,
                NextCursor = "AfiR0x-YAQAAOTAAAAAAAACalAYAAAAAAEq2rUkVRY2c",
            },
        },
    };

    private static async Task<RecordsAnswer> ListAsync(ApiRequest request)
    {
        var size = request.Get(PageSize);
        var (query, counted) = Query(request, size);
        if (query.HostId is not null)
            await request.KnownGpusAsync(query.HostId, query.GpuId);
        await MetricNames.CheckAsync(request.Store, Filters.Metrics.Name, query.Metrics, request.Stop);

        var rows = await request.Store.RowsAsync(query, request.Stop);
        var total = counted ?? rows.Total;
        var next = rows.Next is { } cursor ? PageCursor.Write(cursor, total, query) : null;
        if (next is not null)
            request.Http.Response.Headers.Link = $"<{NextLink(request, next)}>; rel=\"next\"";
        return new RecordsAnswer
        {
            Data = [.. rows.Rows.Select(TelemetryRecord.Of)],
            Pagination = new Pagination
            {
                Page = query.After is null ? request.Get(Page) : null,
                PageSize = size,
                Total = total,
                TotalPages = (total + size - 1) / size,
                HasNext = next is not null,
                NextCursor = next,
            },
        };
    }

    // The query, and all that match where the cursor knows it.
    private static (RowQuery Query, long? Total) Query(ApiRequest request, int size)
    {
        var (start, end) = TimeWindow.ReadOpen(request.Values);
        var query = new RowQuery
        {
            HostId = request.Get(Filters.HostId),
            GpuId = request.Get(Filters.GpuId),
            Start = start,
            End = end,
            Metrics = request.Get(Filters.Metrics),
            Limit = size,
        };
        var page = request.Get(Page);
        if (request.Get(Cursor) is { } text)
        {
            if (request.Values.Has(Page))
                throw Problems.InvalidParameter(Page.Name, "is not possible together with cursor; give one or the other");
            if (!PageCursor.TryRead(text, query, out var after, out var total))
                throw Problems.InvalidParameter(Cursor.Name, "is not a next_cursor of this query: begin again without it, and keep the other parameters as they are from page to page");
            return (query with { After = after, CountTotal = false }, total);
        }
        if ((long)page * size > RowsDeepMax)
            throw Problems.InvalidParameter(Page.Name, $"page {page} of {size} records is beyond the first {RowsDeepMax}; go on with the next_cursor of a page before it as cursor");
        return (query with { Skip = (page - 1L) * size }, null);
    }

    // The same query with the cursor in place of the page.
    private static string NextLink(ApiRequest request, string cursor)
    {
        var kept = request.Http.Request.Query
            .Where(p => p.Key != Page.Name && p.Key != Cursor.Name)
            .Append(new KeyValuePair<string, Microsoft.Extensions.Primitives.StringValues>(Cursor.Name, cursor));
        return request.Http.Request.PathBase + Records.Path + QueryString.Create(kept);
    }
}
