using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting
{
    /// <summary>A project that AppHost.cs adds: the build writes one class for each.</summary>
    public interface IProjectMetadata : IResourceAnnotation
    {
        /// <summary>The absolute path of the project file.</summary>
        string ProjectPath { get; }

        /// <summary>The project's launch profiles, where they are not in its <c>Properties/launchSettings.json</c>.</summary>
        LaunchSettings? LaunchSettings => null;

        /// <summary>Whether the project is built already when the application starts.</summary>
        bool SuppressBuild => false;

        /// <summary>Whether the project is a single file of code.</summary>
        bool IsFileBasedApp => false;
    }
}

namespace Telemetry.Hosting
{
    /// <summary>What the embedded host must know beyond Aspire's own metadata, because it starts programs and builds nothing.</summary>
    public interface IBuiltProject
    {
        /// <summary>The absolute path of the project's built assembly (<c>.dll</c>), for the configuration of the AppHost itself.</summary>
        string AssemblyPath { get; }
    }
}
