# Installs the agnes command line, as offered by @SERVER@ (@VERSION@), for this user. Run again, it installs again.
# The hash below shows that the download is what this script was made for. That the script is the server's own is what https vouches for, and nothing else:
# read it first where that is not enough. From then on upgrades are checked against a key that this machine remembers.
$ErrorActionPreference = 'Stop'

function Install-Agnes {
  $server = '@SERVER@'
  $rid = 'win-x64'
  $version = $null
  switch ($rid) {
@PACKAGES@
  }
  if (-not $version) { throw "$server offers no agnes for $rid; ask its operator" }

  if ('@PLAIN@' -and $env:AGNES_ALLOW_HTTP -ne '1') {
    throw "$server speaks plain http, so that anybody on the way can give you another program. Ask its operator for an https address; or say that it may: `$env:AGNES_ALLOW_HTTP = '1'"
  }

  $root = if ($env:AGNES_INSTALL_DIR) { $env:AGNES_INSTALL_DIR } else { Join-Path $env:LOCALAPPDATA 'agnes' }
  $bin = Join-Path $root 'bin'
  $incoming = Join-Path $root ('.incoming-' + [Guid]::NewGuid().ToString('N'))
  New-Item -ItemType Directory -Force -Path $bin, $incoming | Out-Null
  try {
    Write-Host "Downloading agnes $version for $rid from $server"
    $archive = Join-Path $incoming $file
    Invoke-WebRequest -UseBasicParsing -Uri "$server/cli/download/$file" -OutFile $archive
    if ((Get-FileHash -Algorithm SHA256 $archive).Hash.ToLowerInvariant() -ne $sha256) { throw "the download is not what $server promised; nothing was changed" }
    $unpacked = Join-Path $incoming 'unpacked'
    Expand-Archive -Path $archive -DestinationPath $unpacked
    $env:AGNES_SELF_UPGRADE_IN_PROGRESS = '1'
    $said = & (Join-Path $unpacked 'agnes.exe') --version
    Remove-Item Env:AGNES_SELF_UPGRADE_IN_PROGRESS
    if ($said -ne "agnes $version") { throw "the downloaded agnes says '$said' instead of 'agnes $version'; nothing was changed" }

    # A running program cannot be overwritten, but it can be renamed.
    Get-ChildItem $bin -Filter '*.old' | Remove-Item -Force -ErrorAction SilentlyContinue
    foreach ($new in Get-ChildItem $unpacked -File) {
      $target = Join-Path $bin $new.Name
      if (Test-Path $target) { Move-Item -Force $target "$target.old" }
      Move-Item $new.FullName $target
    }
    Set-Content -Path (Join-Path $bin '.agnes-install') -Value $version -Encoding ascii
    & (Join-Path $bin 'agnes.exe') setup init --server $server | Out-Null
  }
  finally {
    Remove-Item -Recurse -Force $incoming -ErrorAction SilentlyContinue
  }

  $path = [Environment]::GetEnvironmentVariable('Path', 'User')
  if (($path -split ';') -notcontains $bin) {
    [Environment]::SetEnvironmentVariable('Path', "$bin;$path", 'User')
    Write-Host "Added $bin to your PATH; open a new terminal."
  }
  Write-Host "Installed agnes $version in $bin"
  Write-Host "Next, in an empty folder, with a token from $server/tokens:"
  Write-Host "  `$env:AGNES_TOKEN = '...'"
  Write-Host "  agnes init --server-url $server"
}

Install-Agnes
