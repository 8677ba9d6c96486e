// A step of a shared library: gridlane pipeline: 'ci/nightly.yml', credentials: 'testgrid-token'
def call(Map settings) {
  def out = settings.getOrDefault('out', 'gridlane-out/job')
  withCredentials([string(credentialsId: settings.credentials, variable: 'TESTGRID_TOKEN')]) {
    withEnv(["GRIDLANE_OUT=${out}", "GRIDLANE_PIPELINE=${settings.pipeline}"]) {
      try {
        sh(script: 'exec gridlane run "$GRIDLANE_PIPELINE"', label: 'run on devices')
      } finally {
        sh(script: 'gridlane cleanup "$GRIDLANE_OUT"', label: 'give devices back')
        junit(testResults: "${out}/junit*.xml", allowEmptyResults: false)
        archiveArtifacts(artifacts: "${out}/**", excludes: '**/journal.jsonl,**/state/**')
      }
    }
  }
}
