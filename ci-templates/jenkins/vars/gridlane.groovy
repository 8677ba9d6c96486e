// A step of a shared library: gridlane pipeline: 'ci/nightly.yml', credentials: 'testgrid-token'
def call(Map settings) {
  def out = settings.getOrDefault('out', 'gridlane-out/job')
  withCredentials([string(credentialsId: settings.credentials, variable: 'TESTGRID_TOKEN')]) {
    withEnv(["GRIDLANE_OUT=${out}", "PIPELINE=${settings.pipeline}"]) {
      try {
        sh(script: 'exec gridlane run "$PIPELINE"', label: 'run on devices')
      } finally {
        catchError { // what it cannot give back makes the build red, and hides no report
          sh(script: 'gridlane cleanup "$GRIDLANE_OUT"', label: 'give devices back')
        }
        junit(testResults: "${out}/junit*.xml", allowEmptyResults: false)
        archiveArtifacts(artifacts: "${out}/**", excludes: '**/journal.jsonl,**/state/**')
      }
    }
  }
}
