namespace Aspire.Hosting;

/// <summary>What the application model is used for: to run it, or to publish it.</summary>
public enum DistributedApplicationOperation
{
    /// <summary>The resources are started on this machine.</summary>
    Run,

    /// <summary>The resources are described for another environment.</summary>
    Publish,
}

/// <summary>Tells AppHost.cs whether it runs or publishes.</summary>
public class DistributedApplicationExecutionContext(DistributedApplicationOperation operation)
{
    /// <summary>What the application model is used for.</summary>
    public DistributedApplicationOperation Operation { get; } = operation;

    /// <summary>Whether the application model is published.</summary>
    public bool IsPublishMode => Operation == DistributedApplicationOperation.Publish;

    /// <summary>Whether the resources are started on this machine.</summary>
    public bool IsRunMode => Operation == DistributedApplicationOperation.Run;
}
