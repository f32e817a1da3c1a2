using System.Runtime.InteropServices;
using System.Text;

namespace Sidecar.Worker;

/// <summary>
/// ONNX Runtime through its C API: a table of functions that keep their place in every later version (onnxruntime_c_api.h, version 14 of the API, which
/// 1.14 to 1.30 serve). Every function used here answers a status, null for success. Input memory stays where it is until its value is released.
/// </summary>
internal static unsafe partial class OnnxRuntime
{
    public const int ApiVersion = 14;
    public const int TypeFloat = 1;
    private const int LoggingFatal = 4;
    private const int AllOptimizations = 99;
    private const int ArenaAllocator = 1;
    private const int DefaultMemory = 0;
    private const string Library = "onnxruntime";

    // Places in the table.
    private const int GetErrorMessage = 2;
    private const int ReleaseStatus = 93;

    private static void** api;

    /// <summary>Loads the shared library from this file and no other place.</summary>
    /// <exception cref="WorkerException">It is not there, cannot be loaded, or does not serve this version of the API.</exception>
    public static void Load(string file)
    {
        if (!NativeLibrary.TryLoad(file, out var library))
        {
            throw new WorkerException(WorkerStatus.Unsupported, "ONNX Runtime cannot be loaded; it needs glibc 2.28 and libstdc++6 or later.");
        }
        NativeLibrary.SetDllImportResolver(typeof(OnnxRuntime).Assembly, (name, _, _) => name == Library ? library : 0);
        var apiBase = GetApiBase();
        api = apiBase->GetApi(ApiVersion);
        if (api is null)
        {
            throw new WorkerException(WorkerStatus.Unsupported, $"ONNX Runtime does not serve version {ApiVersion} of its interface.");
        }
    }

    public static void* CreateEnvironment(string name)
    {
        void* environment;
        var bytes = ToUtf8(name);
        fixed (byte* text = bytes)
        {
            Check(((delegate* unmanaged<int, byte*, void**, void*>)api[3])(LoggingFatal, text, &environment));
        }
        return environment;
    }

    /// <summary>A session on one thread. All optimisations: without NCHWc layouts a run takes a third longer. Memory patterns keep memory and save no time.</summary>
    public static void* CreateSession(void* environment, ReadOnlySpan<byte> model)
    {
        void* options;
        void* session;
        Check(((delegate* unmanaged<void**, void*>)api[10])(&options));
        Check(((delegate* unmanaged<void*, void*>)api[17])(options));
        Check(((delegate* unmanaged<void*, int, void*>)api[23])(options, AllOptimizations));
        Check(((delegate* unmanaged<void*, int, void*>)api[24])(options, 1));
        Check(((delegate* unmanaged<void*, int, void*>)api[25])(options, 1));
        fixed (byte* bytes = model)
        {
            Check(((delegate* unmanaged<void*, void*, nuint, void*, void**, void*>)api[8])(environment, bytes, (nuint)model.Length, options, &session));
        }
        ((delegate* unmanaged<void*, void>)api[100])(options);
        return session;
    }

    /// <summary>Options of a run; where asked for, the memory that grew with the size of the input is given back after it.</summary>
    public static void* CreateRunOptions(bool shrinksMemory)
    {
        void* options;
        Check(((delegate* unmanaged<void**, void*>)api[39])(&options));
        if (shrinksMemory)
        {
            fixed (byte* key = "memory.enable_memory_arena_shrinkage\0"u8)
            fixed (byte* value = "cpu:0\0"u8)
            {
                Check(((delegate* unmanaged<void*, byte*, byte*, void*>)api[165])(options, key, value));
            }
        }
        return options;
    }

    public static void* CreateMemoryInfo()
    {
        void* info;
        Check(((delegate* unmanaged<int, int, void**, void*>)api[69])(ArenaAllocator, DefaultMemory, &info));
        return info;
    }

    /// <summary>A tensor over memory that the caller owns.</summary>
    public static void* CreateTensor(void* memoryInfo, float* values, long count, ReadOnlySpan<long> shape)
    {
        void* tensor;
        fixed (long* sizes = shape)
        {
            Check(((delegate* unmanaged<void*, void*, nuint, long*, nuint, int, void**, void*>)api[49])(
                memoryInfo, values, (nuint)count * sizeof(float), sizes, (nuint)shape.Length, TypeFloat, &tensor));
        }
        return tensor;
    }

    /// <summary>Runs a model of one input and one output; the output is the caller's to release.</summary>
    public static void* Run(void* session, void* runOptions, ReadOnlySpan<byte> inputName, void* input, ReadOnlySpan<byte> outputName)
    {
        void* output = null;
        fixed (byte* inputText = inputName)
        fixed (byte* outputText = outputName)
        {
            Check(((delegate* unmanaged<void*, void*, byte**, void**, nuint, byte**, nuint, void**, void*>)api[9])(
                session, runOptions, &inputText, &input, 1, &outputText, 1, &output));
        }
        return output;
    }

    /// <summary>The numbers of a tensor of floats, valid until it is released; it must have as many as expected.</summary>
    public static float* ReadTensor(void* tensor, long expectedCount)
    {
        void* info;
        nuint count;
        int type;
        void* data;
        Check(((delegate* unmanaged<void*, void**, void*>)api[65])(tensor, &info));
        Check(((delegate* unmanaged<void*, nuint*, void*>)api[64])(info, &count));
        Check(((delegate* unmanaged<void*, int*, void*>)api[60])(info, &type));
        ((delegate* unmanaged<void*, void>)api[99])(info);
        if (type != TypeFloat || count != (nuint)expectedCount)
        {
            throw new WorkerException(WorkerStatus.Unsupported, "The text detector's model answers in another form than this software knows.");
        }
        Check(((delegate* unmanaged<void*, void**, void*>)api[51])(tensor, &data));
        return (float*)data;
    }

    public static void ReleaseValue(void* value)
    {
        if (value is not null)
        {
            ((delegate* unmanaged<void*, void>)api[96])(value);
        }
    }

    private static void Check(void* status)
    {
        if (status is null)
        {
            return;
        }
        // It may hold sizes and names of the model, nothing of the picture; still, only its first line is for a person.
        var message = Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<void*, byte*>)api[GetErrorMessage])(status)) ?? "";
        ((delegate* unmanaged<void*, void>)api[ReleaseStatus])(status);
        throw new WorkerException(
            message.Contains("alloc", StringComparison.OrdinalIgnoreCase) ? WorkerStatus.OutOfMemory : WorkerStatus.Unsupported, $"ONNX Runtime refused: {message.Split('\n')[0]}");
    }

    private static byte[] ToUtf8(string text) => Encoding.UTF8.GetBytes(text + '\0');

    [LibraryImport(Library, EntryPoint = "OrtGetApiBase")]
    private static partial ApiBase* GetApiBase();

    [StructLayout(LayoutKind.Sequential)]
    private struct ApiBase
    {
        public delegate* unmanaged<uint, void**> GetApi;
        public delegate* unmanaged<byte*> GetVersion;
    }
}
