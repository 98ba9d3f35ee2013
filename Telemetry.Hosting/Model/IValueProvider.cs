namespace Aspire.Hosting.ApplicationModel;

/// <summary>Something whose text is known only when the application runs.</summary>
public interface IValueProvider
{
    /// <summary>The text.</summary>
    ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default);
}
