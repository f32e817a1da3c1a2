-- The user `viewer` (nginx adds it to the browsers' requests) may read images over DICOMweb and nothing else.
-- Orthanc has normalised the URI before it asks, so path tricks are already resolved here.
-- The user `sidecar` may do everything; users without a password never come this far (AuthenticationEnabled).
function IncomingHttpRequestFilter(method, uri, ip, username, httpHeaders)
    if username == 'sidecar' then
        return true
    end
    return username == 'viewer' and method == 'GET' and string.sub(uri, 1, 19) == '/dicom-web/studies/'
end
