using Telemetry.Collector.Intake;
using Telemetry.Messaging.Client;
using Telemetry.Storage;

namespace Telemetry.Tests.Collector;

public sealed class PartitionCursorTests
{
    private static readonly LogIdentity Log = new(Guid.NewGuid(), 3);
    private static readonly LogIdentity Newer = Log with { LogEpoch = 4 };

    [Fact]
    public void A_store_without_a_checkpoint_begins_at_the_first_record()
    {
        var cursor = new PartitionCursor(null);
        Assert.IsType<FetchFrom.Earliest>(cursor.Next);
        Assert.Null(cursor.Take(new Fetched.Started(Log, 0, 0)));
        var step = cursor.Take(Batch(Log, 0, 5))!;
        Assert.Equal((null, At(Log, 5), 0), (step.From, step.To, step.Skip));
        Assert.Empty(step.Gaps);
    }

    [Fact]
    public void F22_what_the_queue_no_longer_had_is_a_gap()
    {
        var cursor = new PartitionCursor(null);
        var step = cursor.Take(new Fetched.Started(Log, 40, 40))!;
        Assert.Equal((null, At(Log, 40)), (step.From, step.To));
        Assert.Equal([new LogGap(Log.TopicId, 3, 0, 40, "not retained")], step.Gaps);

        step = cursor.Take(Batch(Log, 40, 2))!;
        Assert.Equal((At(Log, 40), At(Log, 42)), (step.From, step.To));
    }

    [Fact]
    public void F20_another_topic_is_entered_at_its_beginning_whatever_its_numbers_are()
    {
        var other = new LogIdentity(Guid.NewGuid(), 3);
        var cursor = new PartitionCursor(At(Log, 5));
        var step = cursor.Take(new Fetched.Started(other, 7, 7))!;
        Assert.Equal((At(Log, 5), At(other, 7)), (step.From, step.To));
        Assert.Equal([new LogGap(Log.TopicId, 3, 5, -1, "log replaced"), new LogGap(other.TopicId, 3, 0, 7, "not retained")], step.Gaps);
    }

    [Fact]
    public void A_new_epoch_of_the_log_goes_on_where_the_old_one_stood()
    {
        var cursor = new PartitionCursor(At(Log, 100));
        Assert.Null(cursor.Take(new Fetched.Started(Newer, 100, 7)));
        Assert.Equal(new FetchFrom.Offset(100, Newer), cursor.Next);
        var step = cursor.Take(Batch(Newer, 98, 4))!;
        Assert.Equal((At(Log, 100), At(Newer, 102), 2), (step.From, step.To, step.Skip));
        Assert.Empty(step.Gaps);
    }

    [Fact]
    public void F19_what_expired_while_the_log_was_opened_again_is_a_gap()
    {
        var cursor = new PartitionCursor(At(Log, 100));
        Assert.Null(cursor.Take(new Fetched.Started(Newer, 130, 130)));
        var step = cursor.Take(new Fetched.Gap(Newer, 100, 130, "expired"))!;
        Assert.Equal((At(Log, 100), At(Newer, 130)), (step.From, step.To));
        Assert.Equal([new LogGap(Log.TopicId, 4, 100, 130, "expired")], step.Gaps);
    }

    [Fact]
    public void F20_a_new_epoch_that_has_less_is_read_from_where_the_two_part()
    {
        var cursor = new PartitionCursor(At(Log, 100));
        Assert.Equal(new FetchFrom.Offset(100, Log), cursor.Next);
        var step = cursor.Take(new Fetched.Started(Newer, 7, 7))!;
        Assert.Equal((At(Log, 100), At(Newer, 7)), (step.From, step.To));
        Assert.Equal([new LogGap(Log.TopicId, 3, 100, -1, "log replaced")], step.Gaps);
        // The queue says the same in its own way; it is recorded once.
        Assert.Null(cursor.Take(new Fetched.Gap(Newer, 100, 7, "log replaced")));
        Assert.Equal(At(Newer, 9), cursor.Take(Batch(Newer, 7, 2))!.To);
        Assert.Equal(new FetchFrom.Offset(9, Newer), cursor.Next);
    }

    [Fact]
    public void F20_an_older_log_is_another_log_too()
    {
        var cursor = new PartitionCursor(At(Newer, 100));
        var step = cursor.Take(Batch(Log, 0, 3))!;
        Assert.Equal((At(Newer, 100), At(Log, 3), 0), (step.From, step.To, step.Skip));
        Assert.Equal((4, 100L), (step.Gaps[0].LogEpoch, step.Gaps[0].FromOffset));
    }

    [Fact]
    public void F19_an_expired_stretch_is_a_gap()
    {
        var cursor = new PartitionCursor(At(Log, 10));
        Assert.Null(cursor.Take(new Fetched.Started(Log, 10, 25)));
        var step = cursor.Take(new Fetched.Gap(Log, 10, 25, "expired"))!;
        Assert.Equal([new LogGap(Log.TopicId, 3, 10, 25, "expired")], step.Gaps);
        Assert.Equal(At(Log, 25), step.To);
    }

    [Fact]
    public void Records_that_are_passed_over_in_silence_are_a_gap_too()
    {
        var cursor = new PartitionCursor(At(Log, 10));
        var step = cursor.Take(Batch(Log, 12, 3))!;
        Assert.Equal([new LogGap(Log.TopicId, 3, 10, 12, "unknown")], step.Gaps);
        Assert.Equal((At(Log, 10), At(Log, 15), 0), (step.From, step.To, step.Skip));
    }

    [Fact]
    public void Batch_boundaries_may_change_between_deliveries()
    {
        var cursor = new PartitionCursor(At(Log, 10));
        Assert.Null(cursor.Take(Batch(Log, 5, 5))); // all of it is in the store
        var step = cursor.Take(Batch(Log, 8, 6))!;
        Assert.Equal((At(Log, 10), At(Log, 14), 2), (step.From, step.To, step.Skip));
        Assert.Empty(step.Gaps);
        Assert.Null(cursor.Take(Batch(Log, 8, 6)));
    }

    private static LogPosition At(LogIdentity log, long offset) => new(log.TopicId, log.LogEpoch, offset);

    private static Fetched.Batch Batch(LogIdentity log, long start, int count) => new(log, start, count, 0, default, default, start + count);
}
