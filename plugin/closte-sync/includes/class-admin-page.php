<?php
/**
 * The page in the network admin: the engine's state, and the domains that need a person.
 *
 * It shows what was reported and asks nobody. Everything that it prints is escaped, as domains and
 * reasons come from outside.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The page, and its one action.
 */
final class Admin_Page {

	const SLUG       = 'closte-sync';
	const PARENT     = 'wp-ultimo';
	const CAPABILITY = 'manage_network';
	const RECHECK    = 'closte_sync_recheck';

	/**
	 * The most domains that the page lists.
	 */
	const MOST = 200;

	/**
	 * Listen to WordPress.
	 */
	public static function listen() {
		add_action( 'network_admin_menu', array( self::class, 'add' ), 100 );
		add_action( 'admin_post_' . self::RECHECK, array( self::class, 'recheck' ) );
	}

	/**
	 * Add the page below Ultimate Multisite's menu, or below the settings where that is not there.
	 */
	public static function add() {
		$parent = empty( $GLOBALS['admin_page_hooks'][ self::PARENT ] ) ? 'settings.php' : self::PARENT;
		add_submenu_page( $parent, 'closte-sync', 'closte-sync', self::CAPABILITY, self::SLUG, array( self::class, 'show' ) );
	}

	/**
	 * The domains that need a person, the earliest ones first.
	 *
	 * @param bool $protected Whether those whose names are protected, which are never sent, or the others.
	 * @return array[]
	 */
	public static function needing_a_person( $protected = false ) {
		return array_filter(
			Engine::domains(),
			static function ( $domain ) use ( $protected ) {
				$is_protected = isset( $domain['alias'] ) && 'protected' === $domain['alias'];
				return ! empty( $domain['person'] ) && isset( $domain['domain'] ) && is_string( $domain['domain'] ) && $is_protected === $protected;
			}
		);
	}

	/**
	 * The link that has a domain checked.
	 *
	 * @param string $domain Its name.
	 * @return string An address, not escaped.
	 */
	public static function recheck_url( $domain ) {
		$query = array(
			'action'   => self::RECHECK,
			'domain'   => rawurlencode( $domain ),
			'_wpnonce' => wp_create_nonce( self::RECHECK ),
		);
		return add_query_arg( $query, get_admin_url( get_main_site_id(), 'admin-post.php' ) );
	}

	/**
	 * Have a domain checked.
	 */
	public static function recheck() {
		check_admin_referer( self::RECHECK );
		if ( ! current_user_can( self::CAPABILITY ) ) {
			wp_die( esc_html__( 'You may not do this.', 'closte-sync' ), '', array( 'response' => 403 ) );
		}
		$domain = isset( $_REQUEST['domain'] ) ? strtolower( sanitize_text_field( wp_unslash( $_REQUEST['domain'] ) ) ) : '';
		if ( ! Ultimate_Multisite::is_mapped( $domain ) ) {
			wp_die( esc_html__( 'This domain is not mapped.', 'closte-sync' ), '', array( 'response' => 404 ) );
		}
		$queued = Rechecks::add( $domain ) ? 'yes' : 'full';
		$back   = wp_get_referer();
		$back   = $back ? $back : network_admin_url( 'admin.php?page=' . self::SLUG );
		wp_safe_redirect( add_query_arg( self::RECHECK, $queued, $back ) );
		exit;
	}

	/**
	 * The page.
	 */
	public static function show() {
		if ( ! current_user_can( self::CAPABILITY ) ) {
			return;
		}
		echo '<div class="wrap"><h1>closte-sync</h1>';
		self::show_queued();
		self::show_engine();
		self::show_list( __( 'Alerts', 'closte-sync' ), Engine::report()['alerts'] );
		self::show_list( __( 'Problems', 'closte-sync' ), Engine::report()['problems'] );
		self::show_counts( Engine::report()['counts'] );
		self::show_domains( __( 'Domains that need a person', 'closte-sync' ), self::needing_a_person() );
		if ( array() !== self::needing_a_person( true ) ) {
			self::show_domains( __( 'Protected names, which are never sent to Closte', 'closte-sync' ), self::needing_a_person( true ) );
		}
		echo '</div>';
	}

	/**
	 * The result of a request to check.
	 */
	private static function show_queued() {
		// phpcs:ignore WordPress.Security.NonceVerification -- Only which of two sentences is shown.
		$queued = isset( $_GET[ self::RECHECK ] ) ? sanitize_key( $_GET[ self::RECHECK ] ) : '';
		$texts  = array(
			'yes'  => __( 'The domain is checked as soon as the engine receives this request.', 'closte-sync' ),
			'full' => __( 'Too many domains already wait for the engine.', 'closte-sync' ),
		);
		if ( isset( $texts[ $queued ] ) ) {
			printf( '<div class="notice notice-info is-dismissible"><p>%s</p></div>', esc_html( $texts[ $queued ] ) );
		}
	}

	/**
	 * The engine's state.
	 */
	private static function show_engine() {
		$report  = Engine::report();
		$refused = Refusals::told();
		$lines   = array( Words::heard(), Words::mode() );
		if ( ! Engine::is_switched_on() ) {
			$lines[] = __( 'Closte is switched off in Ultimate Multisite\'s settings.', 'closte-sync' );
		}
		/* translators: 1: a version, 2: a version. */
		$lines[] = sprintf( __( 'Engine %1$s, plugin %2$s.', 'closte-sync' ), null === $report['engine'] ? '-' : $report['engine'], Plugin::version() );
		/* translators: %d: a number. */
		$lines[] = sprintf( __( 'Requests refused so far: %d.', 'closte-sync' ), $refused['count'] );
		foreach ( $lines as $line ) {
			printf( '<p>%s</p>', esc_html( $line ) );
		}
		if ( null !== $report['panel'] ) {
			printf( '<p><a class="button button-primary" href="%s" target="_blank" rel="noopener">%s</a></p>', esc_url( $report['panel'], array( 'http', 'https' ) ), esc_html__( 'Open the control panel', 'closte-sync' ) );
		}
	}

	/**
	 * A list of sentences under a title, if there are any.
	 *
	 * @param string   $title Its title.
	 * @param string[] $texts The sentences.
	 */
	private static function show_list( $title, array $texts ) {
		if ( array() !== $texts ) {
			printf( '<h2>%s</h2><ul class="ul-disc">', esc_html( $title ) );
			foreach ( $texts as $text ) {
				printf( '<li>%s</li>', esc_html( $text ) );
			}
			echo '</ul>';
		}
	}

	/**
	 * How many domains there are of each stage.
	 *
	 * @param int[] $counts By stage.
	 */
	private static function show_counts( array $counts ) {
		$texts = array();
		foreach ( $counts as $stage => $count ) {
			$texts[] = sprintf( '%s: %s', $stage, number_format_i18n( $count ) );
		}
		self::show_list( __( 'Domains by stage', 'closte-sync' ), $texts );
	}

	/**
	 * Some domains under a title.
	 *
	 * @param string  $title   The title.
	 * @param array[] $domains What is known about each.
	 */
	private static function show_domains( $title, array $domains ) {
		printf( '<h2>%s</h2>', esc_html( $title ) );
		if ( array() === $domains ) {
			printf( '<p>%s</p>', esc_html__( 'None.', 'closte-sync' ) );
			return;
		}
		printf(
			'<table class="widefat striped"><thead><tr><th scope="col">%s</th><th scope="col">%s</th><td></td></tr></thead><tbody>',
			esc_html__( 'Domain', 'closte-sync' ),
			esc_html__( 'What is wrong, and when it is checked next', 'closte-sync' )
		);
		foreach ( array_slice( $domains, 0, self::MOST ) as $domain ) {
			printf(
				'<tr><td><strong>%s</strong></td><td>%s</td><td><a class="button" href="%s">%s</a></td></tr>',
				esc_html( $domain['domain'] ),
				esc_html( Words::of_domain( $domain ) ),
				esc_url( self::recheck_url( $domain['domain'] ) ),
				esc_html__( 'Check now', 'closte-sync' )
			);
		}
		echo '</tbody></table>';
		if ( count( $domains ) > self::MOST ) {
			/* translators: %d: a number. */
			printf( '<p>%s</p>', esc_html( sprintf( __( 'And %d more.', 'closte-sync' ), count( $domains ) - self::MOST ) ) );
		}
	}
}
