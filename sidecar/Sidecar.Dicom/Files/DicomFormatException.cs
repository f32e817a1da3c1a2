namespace Sidecar.Dicom.Files;

/// <summary>The file is damaged or says things about itself that cannot be true. The message is one line for a person and holds no attribute's value.</summary>
public sealed class DicomFormatException(string message) : Exception(message);

/// <summary>The file is sound, but this software cannot mask it exactly. The message is one line for a person.</summary>
public sealed class UnsupportedInstanceException(string message) : Exception(message);
