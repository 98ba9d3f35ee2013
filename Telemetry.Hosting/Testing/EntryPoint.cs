using System.Reflection;
using Aspire.Hosting;

namespace Telemetry.Hosting.Testing;

/// <summary>
/// Runs an AppHost's program in this process. The program stops where it builds its application, until the test builds it,
/// and again where it runs it, until the test has disposed of it. Several can run at the same time: which one a call comes
/// from is known by its flow of execution.
/// </summary>
internal sealed class EntryPoint
{
    private static readonly AsyncLocal<EntryPoint?> InFlow = new();

    private readonly TaskCompletionSource<TestingBuilder> _builder = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _mayBuild = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<DistributedApplication> _application = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _runs = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _mayEnd = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Assembly _assembly;
    private readonly string[] _args;

    public EntryPoint(Assembly assembly, string[] args)
    {
        (_assembly, _args) = (assembly, args);
        // Each is awaited by whoever asks; an error that nobody asked for any more is not one.
        foreach (var task in new Task[] { _builder.Task, _application.Task, _runs.Task })
            _ = task.ContinueWith(done => done.Exception, TaskScheduler.Default);
        // A thread of its own, because it stands still while the test changes the builder.
        new Thread(Run) { IsBackground = true, Name = $"{Name}.EntryPoint" }.Start();
    }

    /// <summary>The program that the caller is part of.</summary>
    public static EntryPoint? Current => InFlow.Value;

    public string Name => _assembly.GetName().Name ?? "";

    public IReadOnlyList<string> Args => _args;

    /// <summary>The builder, once the program builds its application.</summary>
    public Task<TestingBuilder> BuilderAsync(CancellationToken cancellationToken) => _builder.Task.WaitAsync(cancellationToken);

    /// <summary>Lets the program build its application.</summary>
    public Task<DistributedApplication> ApplicationAsync(CancellationToken cancellationToken)
    {
        _mayBuild.TrySetResult();
        return _application.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Ends when the program runs its application.</summary>
    public Task RunsAsync(CancellationToken cancellationToken) => _runs.Task.WaitAsync(cancellationToken);

    /// <summary>Lets the program go on after the end of its application.</summary>
    public void End() => _mayEnd.TrySetResult();

    /// <summary>Ends the program where it builds its application, if it comes to that.</summary>
    public void Abandon()
    {
        _mayBuild.TrySetCanceled();
        End();
    }

    /// <summary>In the program: hands over the builder, and waits until the test builds.</summary>
    public void AwaitBuild(TestingBuilder builder)
    {
        _builder.TrySetResult(builder);
        _mayBuild.Task.GetAwaiter().GetResult();
    }

    /// <summary>In the program: hands over the application.</summary>
    public void Built(DistributedApplication application) => _application.TrySetResult(application);

    /// <summary>In the program: the test starts and stops the application in its place.</summary>
    public Task AwaitEndAsync()
    {
        _runs.TrySetResult();
        return _mayEnd.Task;
    }

    private void Run()
    {
        InFlow.Value = this;
        try
        {
            var main = _assembly.EntryPoint ?? throw new DistributedApplicationException($"{Name} is not a program");
            var exitCode = main.Invoke(null, main.GetParameters().Length == 0 ? [] : [_args]);
            Fail(new DistributedApplicationException(
                $"{Name} has ended without running an application, exit code {exitCode ?? 0}; what it says is on standard error"));
        }
        catch (TargetInvocationException error) when (error.InnerException is { } inner)
        {
            Fail(new DistributedApplicationException($"{Name} failed: {inner.Message}", inner));
        }
        catch (DistributedApplicationException error)
        {
            Fail(error);
        }
    }

    /// <summary>Tells whoever waits for the program to go further; where nobody does, it has done all that was asked.</summary>
    private void Fail(DistributedApplicationException error)
    {
        _builder.TrySetException(error);
        _application.TrySetException(error);
        _runs.TrySetException(error);
    }
}
