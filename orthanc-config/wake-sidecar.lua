-- Optional: wakes the sidecar when a study came to rest, instead of letting it wait for its next look (Discovery:WakeFile).
-- Orthanc has one Lua context behind one lock, which requests wait for, too. So nothing is called here: one byte is written into a file that is there
-- already, never made and never longer. Where that fails nothing happens, and the sidecar looks by itself. The file has to be on a disk of this machine.
local file = os.getenv("SIDECAR_WAKE_FILE")

if file ~= nil and file ~= "" then
   function OnStableStudy(studyId, tags, metadata)
      local wake = io.open(file, "r+")
      if wake ~= nil then
         wake:write("1")
         wake:close()
      end
   end
end
